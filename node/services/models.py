"""The list of services that an operator loaded in place of the default list."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from node.database.tables import Base


class LocalService(Base):
    """One service; `id` is its number in the Local Government Service List."""

    __tablename__ = "local_service"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(300))
