"""What the files for containers promise: nothing to write to, nobody to be, and the right model."""

import ast
import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ops.image import licences
from server.config import Settings

ROOT = Path(__file__).parents[2]
KUBERNETES = ROOT / "ops" / "kubernetes"
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
KUSTOMIZATION = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())
SET = yaml.safe_load((KUBERNETES / "statefulset.yaml").read_text())["spec"]
POD = SET["template"]["spec"]
(CONTAINER,) = POD["containers"]
LITERALS = dict(each.split("=", 1) for each in KUSTOMIZATION["configMapGenerator"][0]["literals"])


@pytest.mark.parametrize("name", ["sextant", "prometheus"])
def test_a_service_of_compose_may_do_nothing_it_need_not(name):
    service = COMPOSE["services"][name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert not {"privileged", "cap_add", "network_mode", "user"} & service.keys()


def test_the_pod_may_do_nothing_it_need_not():
    pod, container = POD["securityContext"], CONTAINER["securityContext"]

    assert pod["runAsNonRoot"] is True
    assert f"USER {pod['runAsUser']}\n" in DOCKERFILE
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["readOnlyRootFilesystem"] is True
    assert container["allowPrivilegeEscalation"] is False
    assert container["capabilities"] == {"drop": ["ALL"]}
    assert POD["automountServiceAccountToken"] is False
    assert CONTAINER["resources"]["limits"]["memory"]


def test_a_log_has_one_process():
    assert SET["replicas"] == 1
    assert SET["volumeClaimTemplates"][0]["spec"]["accessModes"] == ["ReadWriteOncePod"]


def test_no_service_sets_our_settings():
    # Kubernetes would set SEXTANT_PORT to the address of the Service called sextant.
    assert POD["enableServiceLinks"] is False


def test_the_probes_ask_what_there_is():
    kinds = {"startupProbe": "live", "livenessProbe": "live", "readinessProbe": "ready"}

    for probe, path in kinds.items():
        assert CONTAINER[probe]["httpGet"] == {"path": f"/health/{path}", "port": "http"}


@pytest.mark.parametrize("given", [COMPOSE["services"]["sextant"]["environment"], LITERALS])
def test_the_model_that_is_asked_for_is_the_one_we_ship(given):
    shipped = (ROOT / "models" / "sdss.onnx").read_bytes()

    assert given["SEXTANT_MODEL_SHA256"] == hashlib.sha256(shipped).hexdigest()


def test_what_is_set_are_settings():
    text = f"{DOCKERFILE}{(ROOT / 'compose.yaml').read_text()}{LITERALS}"

    found = dict.fromkeys(re.findall(r"\bSEXTANT_[A-Z_0-9]+(?=[=:'])", text), "")

    assert len(found) >= 6
    assert Settings.unknown_variables(found) == []


def test_the_kustomization_names_every_file_there_is():
    files = {path.name for path in KUBERNETES.glob("*.yaml")}

    assert {*KUSTOMIZATION["resources"]} == files - {"kustomization.yaml"}


def test_every_volume_is_mounted_where_the_image_looks():
    mounts = {mount["name"]: mount["mountPath"] for mount in CONTAINER["volumeMounts"]}

    assert mounts["keys"] == str(Path(LITERALS["SEXTANT_KEYS_FILE"]).parent)
    assert f"SEXTANT_DATABASE={mounts['log']}/" in DOCKERFILE
    assert f"{mounts['log']}" in {
        v.split(":")[1] for v in COMPOSE["services"]["sextant"]["volumes"]
    }
    claimed = {each["metadata"]["name"] for each in SET["volumeClaimTemplates"]}
    assert {*mounts} == claimed | {each["name"] for each in POD["volumes"]}


@pytest.mark.slow
def test_the_keys_for_compose_are_made_as_the_page_says(tmp_path):
    page = (ROOT / "docs" / "deploy.md").read_text()
    code = re.search(r"```sh\n(make image && mkdir.*?)docker compose up", page, re.DOTALL)[1]
    code = code.replace("make image && ", "").replace("docker run --rm sextant python", "$PYTHON")
    given = {"PATH": os.environ["PATH"], "PYTHON": sys.executable, "PYTHONPATH": str(ROOT)}

    subprocess.run(["bash", "-euc", code], cwd=tmp_path, env=given, check=True, timeout=60)

    lines = (tmp_path / "secrets" / "keys").read_text().splitlines()
    digests = {line.split()[0]: line.split()[2] for line in lines}
    key = (tmp_path / "secrets" / "metrics_key").read_text().strip()
    assert [*digests] == ["prometheus", "laptop"]
    assert digests["prometheus"] == hashlib.sha256(key.encode()).hexdigest()


def test_the_page_of_licences_is_current():
    assert licences.PAGE.read_text() == licences.page(), "run make licences"


def test_the_image_leaves_out_no_part_of_numpy_that_the_server_calls():
    gone = set(re.findall(r"numpy/(\w+) ", DOCKERFILE)) - {"_core"}

    used = {
        node.attr
        for path in (ROOT / "server").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in ("np", "numpy")
    }

    assert {"random", "fft"} <= gone
    assert not used & gone
