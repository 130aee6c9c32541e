"""How a mall refuses. Simulators answer in their channel's own words."""


class WorldError(Exception):
    """Base of all refusals; the text is for people who read the journal."""


class UnknownOrder(WorldError):
    """No such order on this channel, or not visible yet."""


class UnknownListing(WorldError):
    """No such stock row on this channel."""


class WrongState(WorldError):
    """The order's state does not allow it."""


class SoldOut(WorldError):
    """The mall's displayed stock does not allow this sale."""
