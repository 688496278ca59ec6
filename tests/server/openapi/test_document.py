"""The document says what the server does, of any model."""

import itertools
import re
from urllib.parse import quote

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from werkzeug.routing import Rule

from server.app import create_app
from server.config import Settings
from tests.server.conftest import OBJECT, SHIPPED
from tests.server.storage.test_parts import odd_model

# Routes that the document leaves out: files that pages are made of.
EXEMPT = {"static"}
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


@pytest.fixture(params=["shipped", "binary", "regression", "odd"])
def model_file(request, tmp_path):
    if request.param == "shipped":
        return SHIPPED
    if request.param == "odd":
        odd_model(tmp_path / "odd.onnx")
        return tmp_path / "odd.onnx"
    return request.getfixturevalue(f"{request.param}_model").path


def document_of(client):
    response = client.get("/openapi.json")
    assert response.content_type == "application/json"
    return response.json


def schema_of(document, name):
    """Return a component's schema with all it refers to, as a validator takes it."""
    return Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    )


def templates_of(rule: Rule) -> list[str]:
    """Return the paths of a route as OpenAPI writes them: one for each choice there is."""
    parts = re.split(r"(<[^>]+>)", rule.rule)
    choices = []
    for part in parts:
        if listed := re.fullmatch(r"<any\(([^)]*)\):\w+>", part):
            choices.append(listed[1].replace(" ", "").split(","))
        else:
            choices.append([re.sub(r"<(?:[^:>]*:)?(\w+)>", r"{\1}", part)])
    return ["".join(each) for each in itertools.product(*choices)]


def test_it_is_a_valid_document_of_any_model(make_app, model_file):
    document = document_of(make_app(model=model_file).test_client())

    validate(document)


def test_every_route_is_in_it_with_every_method_and_no_other(app, client):
    documented = {
        (path, method.upper())
        for path, operations in document_of(client)["paths"].items()
        for method in operations
    }

    routes = {
        (path, method)
        for rule in app.url_map.iter_rules()
        if rule.endpoint not in EXEMPT
        for path in templates_of(rule)
        for method in METHODS & rule.methods
    }

    assert documented == routes


def test_what_a_model_answers_is_what_the_document_says(make_app, model_file):
    client = make_app(model=model_file).test_client()
    document = document_of(client)
    examples = document["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
    told = document["paths"]["/predict"]["post"]["responses"]["200"]["content"]["application/json"]

    for name, example in examples["examples"].items():
        schema_of(document, "Answer" if name == "one" else "Answers").validate(
            told["examples"].get(name, told["examples"]["several"])["value"]
        )
        for explain in ("true", "false"):
            answer = client.post(f"/predict?explain={explain}", json=example["value"])
            assert answer.status_code == 200, answer.json
            schema_of(document, "Answer" if name == "one" else "Answers").validate(answer.json)
    page = client.get("/predictions").json
    schema_of(document, "PredictionsPage").validate(page)
    for row in page["predictions"]:
        schema_of(document, "StoredPrediction").validate(row)
        one = client.get(f"/predictions/{row['prediction_id']}").json
        schema_of(document, "WholePrediction").validate(one)
    schema_of(document, "Contract").validate(client.get("/model").json)


def test_the_example_is_answered_as_the_document_says(make_app, model_file):
    client = make_app(model=model_file).test_client()
    operation = document_of(client)["paths"]["/predict"]["post"]
    asked = operation["requestBody"]["content"]["application/json"]["examples"]["one"]["value"]
    told = operation["responses"]["200"]["content"]["application/json"]["examples"]["one"]["value"]

    answer = client.post("/predict", json=asked).json

    made = ("prediction_id", "predicted_at")
    assert {k: v for k, v in answer.items() if k not in made} == {
        k: v for k, v in told.items() if k not in made
    }


def test_fields_bear_the_names_units_and_ranges_of_the_contract(client):
    instance = document_of(client)["components"]["schemas"]["Instance"]

    u = instance["properties"]["u"]
    assert (u["type"], u["x-unit"], u["x-training-range"]) == ("number", "mag", [12.98897, 19.5999])
    assert u["description"].startswith("model magnitude in the u band")
    assert instance["properties"]["redshift"]["type"] == ["number", "null"]
    assert instance["required"] == ["u", "g", "r", "i", "z"]


def test_closed_categories_are_an_enumeration_and_open_ones_are_not(make_app, binary_model):
    client = make_app(model=binary_model.path).test_client()
    document = document_of(client)

    fields = document["components"]["schemas"]["Instance"]["properties"]

    assert fields["island"]["enum"] == ["Biscoe", "Dream", "Torgersen"]
    assert "enum" not in fields["ring colour"]
    assert fields["age"]["type"] == "integer"


@pytest.mark.parametrize(
    "body",
    [
        {**OBJECT, "u": "19"},
        {**OBJECT, "u": 1e39},
        {**OBJECT, "u": None},
        {**OBJECT, "x": 1},
        {**OBJECT, "id": "x" * 257},
        {**OBJECT, "id": 7},
        [],
        {"instances": []},
        {"instances": [OBJECT], "id": "beside"},
        [OBJECT, 1],
        "text",
    ],
    ids=str,
)
def test_what_the_document_forbids_is_refused(client, body):
    document = document_of(client)
    content = document["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
    validator = Draft202012Validator({**content["schema"], "components": document["components"]})

    assert not validator.is_valid(body)
    assert client.post("/predict", json=body).status_code == 422


@pytest.mark.parametrize("largest", [3.4028235677973362e38, -3.4028235677973362e38])
def test_the_largest_number_that_is_taken_is_the_largest_of_the_document(client, largest):
    u = document_of(client)["components"]["schemas"]["Instance"]["properties"]["u"]

    assert largest in (u["minimum"], u["maximum"])
    assert client.post("/predict", json={**OBJECT, "u": largest}).status_code == 200
    beyond = largest * (1 + 2**-52)
    assert client.post("/predict", json={**OBJECT, "u": beyond}).status_code == 422


def test_every_problem_is_as_the_document_says(client):
    document = document_of(client)

    for response in (
        client.get("/nope"),
        client.post("/predict", json={}),
        client.post("/predict", data="x"),
        client.delete("/predict"),
        client.get("/sql.json?q=SELEC"),
        client.get("/predictions?limit=0"),
    ):
        schema_of(document, "Problem").validate(response.json)


def test_every_filter_of_the_document_is_taken(make_app, model_file):
    app = make_app(model=model_file)
    client = app.test_client()
    document = document_of(client)
    known = document["components"]["parameters"]
    texts = {"array": "null", "string": "2026-11-22T13:45:00Z"}

    filters = [known[name] for name in known if name.startswith("filter-")]
    for each in filters:
        if each["name"] in ("novelty", "warnings"):
            text = "any"
        else:
            text = "15m" if each["name"] == "last" else texts[each["schema"]["type"]]
        response = client.get("/predictions", query_string={each["name"]: text})
        assert response.status_code == 200, response.json
    with app.extensions["sextant"].log.reading(None) as snapshot:
        served = {name for source in snapshot.sources for name in source.fields}
    assert served - {"time"} == {each["name"] for each in filters} - {"from", "to", "last"}


def test_limits_are_those_of_the_settings(tmp_path):
    app = create_app(
        Settings(model=SHIPPED, database=tmp_path / "predictions.duckdb", max_instances=7)
    )

    document = document_of(app.test_client())
    app.extensions["sextant"].log.close()

    assert document["components"]["schemas"]["Instances"]["maxItems"] == 7


def test_v2_answers_as_the_document_says(make_app, model_file):
    client = make_app(model=model_file).test_client()
    document = document_of(client)
    served = client.get("/model").json
    named = {"model": served["model_name"], "version": served["model_version"]}
    tried = 0

    for path, operations in document["paths"].items():
        if not path.startswith("/v2"):
            continue
        for method, told in operations.items():
            asked = told.get("requestBody", {}).get("content", {}).get("application/json", {})
            body = asked.get("examples", {}).get("one", {}).get("value")
            name = told["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
            response = client.open(path.format(**map_quoted(named)), method=method, json=body)
            assert response.status_code == 200, (path, response.json)
            schema_of(document, name.rpartition("/")[2]).validate(response.json)
            if example := told["responses"]["200"]["content"]["application/json"].get("examples"):
                assert response.json == example["one"]["value"]
            tried += 1
    assert tried == 17


def map_quoted(named):
    """Return names as they stand in a path."""
    return {name: quote(text, safe="") for name, text in named.items()}


@pytest.mark.parametrize(
    "path", ["/v2/models/another", "/v2/models/sdss/versions/0/ready", "/v2/nothing"]
)
def test_every_problem_of_v2_is_as_the_document_says(client, path):
    document = document_of(client)

    response = client.get(path)

    assert response.status_code == 404
    schema_of(document, "V2Problem").validate(response.json)
    refused = client.post("/v2/models/sdss/infer", json={"inputs": []})
    schema_of(document, "V2Problem").validate(refused.json)


def test_an_answer_has_no_header_that_the_document_does_not_know(client):
    document = document_of(client)
    known = set(document["components"]["headers"]) | {"Content-Type", "Content-Length"}
    given = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "Idempotency-Key": "k"}
    written = document["paths"]["/predict"]["post"]["responses"]["200"]["headers"]

    first = client.post("/predict", json=OBJECT, headers=given)
    again = client.post("/predict", json=OBJECT, headers=given)
    refused = client.post("/predict", json={}, headers=given)

    for response in (first, again, refused, client.delete("/predict"), client.get("/favicon.ico")):
        assert set(response.headers.keys()) <= known
    met = set(first.headers.keys()) | set(again.headers.keys())
    assert met - {"Content-Type", "Content-Length"} == set(written)


def test_no_other_type_than_the_document_says_is_answered_at_metrics(client):
    told = document_of(client)["paths"]["/metrics"]["get"]["responses"]["200"]["content"]

    answered = {
        client.get("/metrics", headers={"Accept": accept}).mimetype
        for accept in ("*/*", "application/openmetrics-text;version=1.0.0")
    }

    assert answered == set(told)


def test_a_derived_value_beyond_float32_is_answered_as_the_document_says(client):
    far = {**OBJECT, "u": 3e38, "g": -3e38}

    for explain in ("true", "false"):
        answer = client.post(f"/predict?explain={explain}", json=far)
        assert answer.status_code == 200
        schema_of(document_of(client), "Answer").validate(answer.json)
    explained = client.post("/predict", json=far).json
    assert None in [each["value"] for each in explained["novelty"]]
