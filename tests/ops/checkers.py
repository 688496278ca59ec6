"""Runs in the environment of checkers.txt: ours has to be taken, and refused with a fault in it."""

import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from jsonschema.validators import validator_for

ROOT = Path(__file__).parents[2]
# The oldest in which all that we use is there.
KUBERNETES = "1.29"


def docker(text):
    """Return what is unwise in a Dockerfile."""
    tool = Path(sys.executable).with_name("hadolint")
    return subprocess.run([tool, "-"], input=text, capture_output=True, text=True).stdout


def compose(text):
    """Return what Compose would not take."""
    schema = get_builtin_schema("vendor.compose-spec")
    faults = validator_for(schema)(schema).iter_errors(yaml.safe_load(text))
    return "\n".join(f"{fault.json_path}: {fault.message}" for fault in faults)


def kubernetes(text):
    """Return what Kubernetes would not take."""
    try:
        kubernetes_validate.validate(yaml.safe_load(text), KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as error:
        return error.message
    return ""


def cyclonedx(text):
    """Return what is no list of components in CycloneDX."""
    return repr(JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) or "")[2:]


# A file, who knows it, and what in it is put right and wrong.
FILES = [
    (ROOT / "Dockerfile", docker, "--no-cache-dir ", ""),
    (ROOT / "compose.yaml", compose, "cap_drop:", "cap_dropped:"),
    (ROOT / "compose.yaml", compose, "mem_limit: 256m", "mem_limit: [256m]"),
    (ROOT / "ops/kubernetes/statefulset.yaml", kubernetes, "Filesystem", "FileSystem"),
    (ROOT / "ops/kubernetes/statefulset.yaml", kubernetes, "periodSeconds: 2", "periodSeconds: x"),
    (ROOT / "ops/kubernetes/service.yaml", kubernetes, "targetPort: http", "targetPort: [http]"),
    (ROOT / "ops/kubernetes/networkpolicy.yaml", kubernetes, "egress: []", "egres: []"),
]


def main():
    """Check all of them; return 1 if one is not as it should be."""
    lists = [(Path(name), cyclonedx, '"components"', '"component"') for name in sys.argv[1:]]
    wrong = [told for file in (*FILES, *lists) for told in check(*file)]
    taken = len({path for path, *_ in (*FILES, *lists)})
    print("\n".join(wrong) or f"{taken} files are taken, and none of them with a fault put in")
    return bool(wrong)


def check(path, ask, right, changed):
    """Yield what is not as it should be with one file."""
    text = path.read_text()
    if right not in text:
        yield f"{path.name} has no {right}"
    if told := ask(text):
        yield f"{path.name}: {told}"
    if not ask(text.replace(right, changed)):
        yield f"{path.name} is taken with {changed!r} for {right!r}"


if __name__ == "__main__":
    sys.exit(main())
