from customers.models.blacklist import BlacklistEntry
from customers.models.member import Identity, Member, MemberChange, MemberNote, MemberPair, MemberTag, Rank

__all__ = ["BlacklistEntry", "Identity", "Member", "MemberChange", "MemberNote", "MemberPair", "MemberTag", "Rank"]
