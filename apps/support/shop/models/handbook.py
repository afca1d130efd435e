"""The shop's policy handbook: articles in sections, each section found on its own."""

from __future__ import annotations

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from apps.support.shop.models.columns import Base, Language, LongText, ShortText


class PolicyArticle(Base):
    __tablename__ = "policy_articles"
    __table_args__ = (UniqueConstraint("slug", "language"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[ShortText]
    language: Mapped[Language]
    title: Mapped[ShortText]
    source: Mapped[LongText | None]  # the folder that it was loaded from
    markdown: Mapped[LongText | None]  # as it stood there, with the places for the policy's figures

    sections: Mapped[list[PolicySection]] = relationship(
        back_populates="article", order_by="PolicySection.id", cascade="all, delete-orphan"
    )


class PolicySection(Base):
    __tablename__ = "policy_sections"

    id: Mapped[int] = mapped_column(primary_key=True)
    article_id: Mapped[int] = mapped_column(ForeignKey("policy_articles.id"), index=True)
    heading: Mapped[ShortText]
    body: Mapped[LongText]
    terms: Mapped[LongText]  # the words to search by: apps.support.shop.handbook.search_terms

    article: Mapped[PolicyArticle] = relationship(back_populates="sections")
