"""`/api/support`: conversations, messages (JSON and SSE), tickets, and help for the people at the desk."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator, BaseModel
from starlette.concurrency import run_in_threadpool

from apps.auth import Caller, Scope
from apps.events import in_thread, named, server_sent
from apps.permissions import caller_of, needs
from apps.support.conversations import classifying, records, tickets
from apps.support.conversations.idempotency import MOST_KEY_CHARACTERS, answer_once
from apps.support.conversations.pipeline import SupportPipeline
from apps.support.conversations.turn import FactsFound, IntentFound, Token, TurnEvent, TurnResult
from apps.support.errors import NotFoundError, SupportError
from apps.support.reading.cleaning import storable
from apps.support.schemas import (
    ID_PATTERN,
    MOST_ROW_ID,
    AgentMessage,
    ChangesOut,
    ClassifyRequest,
    ConversationDetail,
    ConversationOut,
    ConversationPage,
    DraftRequest,
    MessageOut,
    NewConversation,
    NewFeedback,
    NewHandover,
    NewMessage,
    OrderTold,
    TicketChange,
    TicketOut,
    TicketPage,
    TraceOut,
    TracePage,
    VariantTold,
)
from apps.support.shop import telling
from apps.support.shop.models import Conversation, ConversationStatus, TicketStatus
from core_model.classifier import Classifier

Limit = Annotated[int, Query(ge=1, le=records.MOST_PER_PAGE)]
# What both databases can look up: nothing else reaches a query.
RowId = Annotated[int, Path(ge=1, le=MOST_ROW_ID)]
After = Annotated[int, Query(ge=0, le=MOST_ROW_ID)]
Before = Annotated[int | None, Query(ge=1, le=MOST_ROW_ID)]
ConversationId = Annotated[str, Path(max_length=64, pattern=ID_PATTERN)]
BeforeConversation = Annotated[str | None, Query(max_length=64, pattern=ID_PATTERN)]
OrderNumber = Annotated[str, Path(max_length=64, pattern=r"^#?[A-Za-z0-9-]+$")]
Sku = Annotated[str, Path(max_length=255), AfterValidator(storable)]
Key = Annotated[str | None, Header(min_length=1, max_length=MOST_KEY_CHARACTERS)]
AsCaller = Annotated[Caller, Depends(caller_of)]
ANYBODYS = [needs(Scope.SUPPORT, Scope.DESK)]
CHANNELS = [needs(Scope.SUPPORT)]
DESKS = [needs(Scope.DESK)]
SHOPS = [needs(Scope.ADMIN)]
_EVENT_NAMES: dict[type[BaseModel], str] = {
    IntentFound: "intent",
    FactsFound: "facts",
    Token: "token",
    TurnResult: "done",
}


Classifiers = Callable[[str], Classifier]
"""The classification adapter of a name."""


def no_classifiers() -> Classifiers:
    def refuse(name: str) -> Classifier:
        raise NotFoundError(f"there is no classification adapter {name!r}")

    return refuse


def create_router(
    pipeline_of: Callable[[Request], SupportPipeline],
    classifiers_of: Callable[..., Classifiers] = no_classifiers,
) -> APIRouter:
    """The routes. Both arguments are FastAPI dependencies: they may refuse while the model is being loaded."""
    router = APIRouter(prefix="/api/support", tags=["support"])
    Pipeline = Annotated[SupportPipeline, Depends(pipeline_of)]  # noqa: N806 - a type

    Found = Annotated[Classifiers, Depends(classifiers_of)]  # noqa: N806 - a type

    @router.post("/conversations", status_code=201, dependencies=CHANNELS)
    def open_conversation(body: NewConversation, pipeline: Pipeline, caller: AsCaller) -> ConversationOut:
        """Begin a conversation. Who sends `customer_email` vouches for it: that needs the scope `trusted`."""
        if body.customer_email is not None:
            caller.require(Scope.TRUSTED)
        with pipeline.database.write() as session:
            conversation = records.open_conversation(
                session,
                channel=body.channel,
                language=body.language,
                trusted_email=body.customer_email,
                opened_by=caller.name,
            )
            return _conversation(conversation)

    @router.get("/conversations", dependencies=DESKS)
    def list_conversations(
        pipeline: Pipeline,
        status: ConversationStatus | None = None,
        limit: Limit = 20,
        before: BeforeConversation = None,
    ) -> ConversationPage:
        """Newest first."""
        with pipeline.database.read() as session:
            page, following = records.list_conversations(session, status=status, limit=limit, before=before)
            return ConversationPage(data=[_conversation(item) for item in page], next=following)

    @router.get("/conversations/{conversation_id}", dependencies=ANYBODYS)
    def show_conversation(
        conversation_id: ConversationId,
        pipeline: Pipeline,
        limit: Limit = records.MOST_PER_PAGE,
        after: After = 0,
    ) -> ConversationDetail:
        """A conversation with its messages, oldest first."""
        with pipeline.database.read() as session:
            conversation = records.get_conversation(session, conversation_id)
            rows = records.messages_of(session, conversation_id, after=after, limit=limit + 1)
            messages, last = records.one_page(rows, limit)
            return ConversationDetail(
                **_conversation(conversation).model_dump(),
                messages=[MessageOut.model_validate(message) for message in messages],
                next_message=last.id if last else None,
            )

    @router.get("/conversations/{conversation_id}/traces", dependencies=DESKS)
    def show_traces(
        conversation_id: ConversationId, pipeline: Pipeline, limit: Limit = 20, after: After = 0
    ) -> TracePage:
        """What each turn understood, looked up, did and said, and how long it took; oldest first."""
        with pipeline.database.read() as session:
            records.get_conversation(session, conversation_id)
            rows = records.traces_of(session, conversation_id, after=after, limit=limit + 1)
            page, last = records.one_page(rows, limit)
            return TracePage(
                data=[TraceOut.model_validate(trace) for trace in page], next=last.id if last else None
            )

    @router.post(
        "/conversations/{conversation_id}/messages", response_model=TurnResult, dependencies=CHANNELS
    )
    async def send_message(
        conversation_id: ConversationId,
        body: NewMessage,
        pipeline: Pipeline,
        accept: Annotated[str, Header()] = "",
        idempotency_key: Key = None,
    ) -> Response:
        """Say something as the customer and get the reply; with `Accept: text/event-stream` as events."""
        events = answer_once(pipeline, conversation_id, body.text, idempotency_key)
        first = await run_in_threadpool(next, events)  # an unknown conversation is refused here
        if "text/event-stream" in accept:
            return StreamingResponse(
                server_sent(first, events, _frame, SupportError), media_type="text/event-stream"
            )
        last = first
        async for event in in_thread(events):
            last = event
        return Response(last.model_dump_json(), media_type="application/json")

    @router.post("/conversations/{conversation_id}/agent-messages", status_code=201, dependencies=DESKS)
    def say_as_agent(conversation_id: ConversationId, body: AgentMessage, pipeline: Pipeline) -> MessageOut:
        """A person's message to the customer; where it was made from a draft, the assistant can learn from it."""
        with pipeline.database.write() as session:
            conversation = records.get_conversation(session, conversation_id)
            message = records.say_as_agent(session, conversation, body.text, body.draft_id)
            return MessageOut.model_validate(message)

    @router.post("/conversations/{conversation_id}/handover", status_code=201, dependencies=ANYBODYS)
    def hand_over(conversation_id: ConversationId, body: NewHandover, pipeline: Pipeline) -> TicketOut:
        """Silence the assistant and open a ticket for a person."""
        with pipeline.database.write() as session:
            return TicketOut.model_validate(
                tickets.ask_for_person(session, conversation_id, reason=body.reason)
            )

    @router.post("/conversations/{conversation_id}/return", dependencies=DESKS)
    def return_to_bot(conversation_id: ConversationId, pipeline: Pipeline) -> ConversationOut:
        """Let the assistant answer again; closes the conversation's tickets."""
        with pipeline.database.write() as session:
            conversation = records.get_conversation(session, conversation_id)
            tickets.return_to_bot(session, conversation)
            return _conversation(conversation)

    @router.get("/tickets", dependencies=DESKS)
    def list_tickets(
        pipeline: Pipeline, status: TicketStatus | None = None, limit: Limit = 20, before: Before = None
    ) -> TicketPage:
        """Newest first."""
        with pipeline.database.read() as session:
            page, following = tickets.list_tickets(session, status=status, limit=limit, before=before)
            return TicketPage(data=[TicketOut.model_validate(item) for item in page], next=following)

    @router.get("/tickets/{ticket_id}", dependencies=DESKS)
    def show_ticket(ticket_id: RowId, pipeline: Pipeline) -> TicketOut:
        with pipeline.database.read() as session:
            return TicketOut.model_validate(tickets.get_ticket(session, ticket_id))

    @router.patch("/tickets/{ticket_id}", dependencies=DESKS)
    def change_ticket(ticket_id: RowId, body: TicketChange, pipeline: Pipeline) -> TicketOut:
        """Only the fields that are sent change."""
        with pipeline.database.write() as session:
            changes = body.model_dump(exclude_unset=True)
            if body.status is None:
                changes.pop("status", None)
            return TicketOut.model_validate(tickets.change_ticket(session, ticket_id, changes))

    @router.post("/messages/{message_id}/feedback", status_code=201, dependencies=DESKS)
    def add_feedback(message_id: RowId, body: NewFeedback, pipeline: Pipeline) -> dict[str, int]:
        """Whether a reply was good, and what would have been right."""
        with pipeline.database.write() as session:
            return {"id": records.add_feedback(session, message_id, **body.model_dump(), by_desk=True).id}

    @router.post(
        "/conversations/{conversation_id}/messages/{message_id}/feedback",
        status_code=201,
        dependencies=ANYBODYS,
    )
    def add_feedback_in_conversation(
        conversation_id: ConversationId,
        message_id: RowId,
        body: NewFeedback,
        pipeline: Pipeline,
        caller: AsCaller,
    ) -> dict[str, int]:
        """The same, for who knows the conversation; only the desk's corrections are learnt from."""
        by_desk = caller.allows(Scope.DESK)
        with pipeline.database.write() as session:
            feedback = records.add_feedback(
                session, message_id, conversation_id, **body.model_dump(), by_desk=by_desk
            )
            return {"id": feedback.id}

    @router.patch("/orders/{number}", dependencies=DESKS)
    def change_order(
        number: OrderNumber, body: OrderTold, pipeline: Pipeline, caller: AsCaller
    ) -> ChangesOut:
        """Tell what happened to an order: its state, its parcel. Nothing is refunded or sent by it."""
        with pipeline.database.write() as session:
            changed = telling.tell_of_order(session, number, body.model_dump(), teller=caller.name)
            return ChangesOut(**changed)

    @router.patch("/variants/{sku:path}", dependencies=SHOPS)
    def change_variant(sku: Sku, body: VariantTold, pipeline: Pipeline, caller: AsCaller) -> ChangesOut:
        """Tell a variant's price, stock, or whether it can be bought."""
        with pipeline.database.write() as session:
            changed = telling.tell_of_variant(session, sku, **body.model_dump(), teller=caller.name)
            return ChangesOut(**changed)

    @router.post("/classify", dependencies=ANYBODYS)
    def classify(body: ClassifyRequest, pipeline: Pipeline, classifiers: Found) -> IntentFound:
        """What a text wants and names: read by the assistant, or by a shop's own adapter. Nothing is stored."""
        if body.adapter is None:
            return pipeline.understand(body.text)
        return classifying.classify(body.text, classifiers(body.adapter))

    @router.post("/draft", dependencies=DESKS)
    def draft(body: DraftRequest, pipeline: Pipeline) -> TurnResult:
        """A reply for a person to send, to be named by its `draft_id` when it is. Nothing is done."""
        return pipeline.draft(body.conversation_id, body.text)

    return router


def _conversation(conversation: Conversation) -> ConversationOut:
    shown = ConversationOut.model_validate(conversation)
    shown.customer_email = conversation.customer.email if conversation.customer else None
    return shown


def _frame(event: TurnEvent) -> bytes:
    return named(_EVENT_NAMES[type(event)], event.model_dump(mode="json"))
