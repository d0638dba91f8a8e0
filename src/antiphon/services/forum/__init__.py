"""The forum: several agents' conversation, found in their logs or posted, with a host that sums up."""

from antiphon.services.forum.config import OFFLINE_HOST, ForumConfig, check_forum
from antiphon.services.forum.service import Forum
from antiphon.services.forum.values import MAIN, Posted, Replayed, forum_channel

__all__ = ["MAIN", "OFFLINE_HOST", "Forum", "ForumConfig", "Posted", "Replayed", "check_forum", "forum_channel"]
