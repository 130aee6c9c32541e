from customers.models.blacklist import BlacklistEntry, Severity
from customers.models.member import Identity, Member, MemberChange, MemberNote, MemberPair, MemberTag, Rank

__all__ = [
    "BlacklistEntry",
    "Identity",
    "Member",
    "MemberChange",
    "MemberNote",
    "MemberPair",
    "MemberTag",
    "Rank",
    "Severity",
]
