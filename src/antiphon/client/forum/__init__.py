"""Talking in the forum, and steering it: `live.forum`."""

from antiphon.client.forum.asking import Forum
from antiphon.client.forum.blocking import BlockingForum
from antiphon.client.forum.rows import ForumHost, ForumState, Replayed, Speaker, Speech

__all__ = ["BlockingForum", "Forum", "ForumHost", "ForumState", "Replayed", "Speaker", "Speech"]
