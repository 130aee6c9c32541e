from customers.models.blacklist import BlacklistEntry
from customers.models.member import Identity, Member, MemberNote, MemberPair, MemberTag

__all__ = ["BlacklistEntry", "Identity", "Member", "MemberNote", "MemberPair", "MemberTag"]
