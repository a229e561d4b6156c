"""The node's own tables about plugins. Plugins keep their data in their own tables."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from node.database.tables import Base, now


class PluginSwitch(Base):
    """The operator's decision to enable or disable a plugin. Without a row the settings decide."""

    __tablename__ = "plugin_switch"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    is_on: Mapped[bool]
    by: Mapped[str] = mapped_column(String(255))
    at: Mapped[datetime] = mapped_column(default=now)


class PluginSettingValue(Base):
    """A value that the operator set. Without a row the plugin's default applies."""

    __tablename__ = "plugin_value"

    plugin: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)


class PluginJob(Base):
    """When a plugin's job is due and last ran, and the error it raised then, or an empty string."""

    __tablename__ = "plugin_job"

    plugin: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(default=now)
    ran_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(String(500), default="")


class PluginFailure(Base):
    """An error raised by a plugin's hook: how often, and when first and last."""

    __tablename__ = "plugin_failure"
    __table_args__ = (UniqueConstraint("plugin", "hook", "error"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    plugin: Mapped[str] = mapped_column(String(40))
    hook: Mapped[str] = mapped_column(String(60))
    error: Mapped[str] = mapped_column(String(500))
    count: Mapped[int] = mapped_column(default=1)
    first_at: Mapped[datetime] = mapped_column(default=now)
    last_at: Mapped[datetime] = mapped_column(default=now, index=True)
