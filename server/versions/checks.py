"""Whether a model may take the place of another, or stand beside it, before anything changes."""

from server.contract import Contract, Feature, InvalidModel
from server.model import Model


def check_named(model: Model, reference: str) -> None:
    """Raise InvalidModel unless the file says that it is what its place says."""
    contract = model.contract
    found = f"{contract.model_name}/{contract.model_version}"
    if found != reference:
        raise InvalidModel(
            f"{reference} says of itself that it is {found}: python -m server models add FILE "
            "puts a file where it belongs"
        )


def check_parity(contract: Contract) -> None:
    """Raise InvalidModel where the graph is farther from its pipeline than it may be."""
    parity, odd = contract.parity, []
    if not parity.max_difference <= parity.tolerance:
        odd.append(f"an answer differs by {parity.max_difference:g}, {parity.tolerance:g} may")
    if parity.label_differences:
        odd.append(f"{parity.label_differences} labels differ")
    farthest, allowed = parity.explanation_difference, parity.explanation_tolerance
    if farthest is not None and allowed is not None and not farthest <= allowed:
        odd.append(f"an explanation differs by {farthest:g}, {allowed:g} may")
    if odd:
        raise InvalidModel(
            f"{contract.model_name}/{contract.model_version} is not its pipeline: {', '.join(odd)}"
        )


def check_fits(new: Contract, old: Contract, *, is_back: bool = False) -> None:
    """Raise InvalidModel unless `new` takes all that `old` takes, and answers the like.

    The way back is open to what knows fewer categories: it was served before.
    """
    ours = {feature.name: feature for feature in old.features}
    theirs = {feature.name: feature for feature in new.features}
    odd = [f"it does not take {name}" for name in ours if name not in theirs]
    odd += [f"it takes {name}, which nobody sends" for name in theirs if name not in ours]
    for name in theirs.keys() & ours.keys():
        odd += _differences(theirs[name], ours[name], is_back=is_back)
    if bool(new.class_names) != bool(old.class_names):
        said, other = ("labels", "values") if new.class_names else ("values", "labels")
        odd.append(f"it answers {said}, and callers expect {other}")
    if odd:
        raise InvalidModel(
            f"{new.model_name}/{new.model_version} cannot take the place of "
            f"{old.model_name}/{old.model_version}: {'; '.join(sorted(odd))}"
        )


def _differences(new: Feature, old: Feature, *, is_back: bool) -> list[str]:
    if new.type != old.type:
        return [f"{new.name} is {new.type} for it, and {old.type} now"]
    if old.nullable and not new.nullable:
        return [f"{new.name} may be missing now, and not for it"]
    if not new.closed or is_back:
        return []
    if not old.closed:
        return [f"{new.name} may have any value now, and for it only those of its training rows"]
    lacking = [repr(value) for value in old.categories or [] if value not in (new.categories or [])]
    return [f"{new.name} may not be {', '.join(lacking)} for it"] if lacking else []
