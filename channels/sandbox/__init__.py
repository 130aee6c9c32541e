"""Five marketplaces as local HTTP servers, with one deterministic world behind them.

Nothing in here knows Django, and no connector is imported: the two sides share the wire format and nothing else.
"""
