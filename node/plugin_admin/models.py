"""What the node keeps about plugins. What they keep themselves is in tables of their own."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from node.db import Base, now


class PluginSwitch(Base):
    """The operator switched a plugin on or off. Of one without a row the settings decide."""

    __tablename__ = "plugin_switch"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    is_on: Mapped[bool]
    by: Mapped[str] = mapped_column(String(255))
    at: Mapped[datetime] = mapped_column(default=now)


class PluginSettingValue(Base):
    """What the operator set. What has no row is as the plugin declares."""

    __tablename__ = "plugin_value"

    plugin: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)


class PluginJob(Base):
    """When a plugin's job is due, when it ran last, and what it raised then, if anything."""

    __tablename__ = "plugin_job"

    plugin: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(default=now)
    ran_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(String(500), default="")


class PluginFailure(Base):
    """What a hook of a plugin raised, how often, and when first and last."""

    __tablename__ = "plugin_failure"
    __table_args__ = (UniqueConstraint("plugin", "hook", "error"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    plugin: Mapped[str] = mapped_column(String(40))
    hook: Mapped[str] = mapped_column(String(60))
    error: Mapped[str] = mapped_column(String(500))
    count: Mapped[int] = mapped_column(default=1)
    first_at: Mapped[datetime] = mapped_column(default=now)
    last_at: Mapped[datetime] = mapped_column(default=now, index=True)
