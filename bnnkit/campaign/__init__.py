"""Campaigns: the question about many images, in parallel, kept in a file, and gone on with."""

from bnnkit.campaign.many import iter_verdicts, verify_all

__all__ = ["iter_verdicts", "verify_all"]
