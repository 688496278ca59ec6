"""All attacks, by theme: a module each, which registers its functions.

An attack takes the `Target`, tries what its name says, and fails by an assertion if it gets
through. SECURITY.md has a row for each, and a test compares the two.
"""

from tests.attack import browsers, keys, limits, markup, models, proxies

# A theme is a module; a new one stands here, and nowhere else.
THEMES = (keys, browsers, markup, proxies, models, limits)


def all_attacks():
    """Return the attacks by name, `theme.function`, in the order in which they are tried."""
    return {
        f"{theme.__name__.rpartition('.')[2]}.{attack.__name__}": attack
        for theme in THEMES
        for attack in theme.ATTACKS
    }
