"""Ask a server with KServe's client, and fail where the answer is another."""

import asyncio

import httpx
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.infer_type import RequestedOutput
from reference import reference

expected = reference()


def request(request_id, *, binary_data, outputs=None, parameters=None):
    inputs = []
    for name, datatype, values in expected.columns():
        tensor = InferInput(name, [len(values), 1], datatype)
        tensor.set_data_from_numpy(values.reshape(-1, 1), binary_data=binary_data)
        inputs.append(tensor)
    return InferRequest(
        expected.name,
        inputs,
        request_id=request_id,
        request_outputs=outputs,
        parameters=parameters,
    )


def check(response, names=expected.default):
    assert [output.name for output in response.outputs] == names
    for output in response.outputs:
        expected.check(output.name, output.as_numpy())


async def check_health(client):
    assert await client.is_server_live(expected.url)
    assert await client.is_server_ready(expected.url)
    assert await client.is_model_ready(expected.url, expected.name)
    assert not await client.is_model_ready(expected.url, "none such")


async def check_inference(client):
    for number, (binary_data, is_binary_out) in enumerate(
        (given, answered) for given in (True, False) for answered in (True, False)
    ):
        asked = request(
            f"kserve-{expected.run}-{number}",
            binary_data=binary_data,
            parameters={"binary_data_output": is_binary_out},
        )
        response = await client.infer(expected.url, asked, model_name=expected.name)
        check(response)
        assert response.id == asked.id
        assert response.model_name == expected.name  # it drops the version
        expected.check_stored(asked.id)


async def check_outputs(client):
    names = expected.default[::-1]
    outputs = [
        RequestedOutput(name, {"binary_data": number == 0}) for number, name in enumerate(names)
    ]
    asked = request("kserve-outputs", binary_data=True, outputs=outputs)
    check(await client.infer(expected.url, asked, model_name=expected.name), names)


async def check_refusals(client):
    asked = request("kserve-refused", binary_data=True)
    asked.inputs[0].shape = [len(expected.rows) + 1]
    for model, told, status in (
        ("none such", "no model 'none such'", 404),
        (expected.name, f"input {asked.inputs[0].name}", 400),
    ):
        try:
            await client.infer(expected.url, asked, model_name=model)
        except httpx.HTTPStatusError as error:
            said = error
        else:
            raise AssertionError(f"nothing was refused where this was expected: {told}")
        assert told in str(said), said
        assert said.response.status_code == status


async def main():
    async with InferenceRESTClient(RESTConfig(protocol="v2")) as client:
        await check_health(client)
        await check_inference(client)
        await check_outputs(client)
        await check_refusals(client)
    print(f"kserve: {expected.name} answers it as it answers POST /predict")


asyncio.run(main())
