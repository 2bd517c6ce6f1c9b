"""Every scenario there is, in the order of the table."""

from . import visits, tabs, faults, media, clocks, claims  # noqa: F401, I001
