"""How near the passages of documents are to a question in meaning: the order of all of them, or why there is none.

The question's vector is made each time, and first: where that fails nothing of the documents is sent. Those of passages
are made once, and kept as they come; what is not there in time is made with the next question.
"""

import time
from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from typing import NamedTuple

import structlog
from sqlalchemy.exc import SQLAlchemyError

from flask_app import offload
from flask_app.domain import passages, vectors
from flask_app.errors import AppError, BudgetExhausted, UpstreamError
from flask_app.services.embedding import asking, embedding_setting, kept_vectors
from flask_app.services.embedding.asking import Asker, Maker
from flask_app.services.embedding.kept_vectors import Source
from flask_app.services.embedding.together import TooLate, in_time
from flask_app.services.runs.stop_signal import StopSignal

SECONDS = 10.0  # for all that a question needs
MOST_INPUTS, FEWEST_INPUTS = 32, 10  # of a request; the latter where a provider takes no more
MOST_REQUESTS = 200  # of a question
MEANING, BUDGET, LATE, FAILED = "meaning", "budget", "late", "failed"
_TOO_MANY = (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY)

log = structlog.get_logger()


class Text(NamedTuple):
    """A document that is searched."""

    source: Source
    words: str


class Found(NamedTuple):
    """By what passages are found: MEANING with the `order` of all of them, or why by words alone; None: nobody asked.

    `begins` is where each text's begin.
    """

    by: str | None = None
    order: Sequence[int] = ()
    begins: Sequence[int] = ()

    def of_text(self, number: int) -> list[int]:
        """The same of one text alone."""
        if not self.order:
            return []
        begin, end = self.begins[number : number + 2]
        return [at - begin for at in self.order if begin <= at < end]


def of(texts: Sequence[Text], question: str, asker: Asker) -> Found:
    """Not for inside a transaction. Whatever stands in the way, the question is answered."""
    words = vectors.words_of(question)
    model = embedding_setting.model() if words and texts else None
    if model is None:
        return Found()
    keys = embedding_setting.keys_of(model)
    try:
        return _Search(Maker(model=model, keys=keys), asker).found(texts, words)
    except BudgetExhausted:
        return Found(BUDGET)
    except TooLate:
        return Found(LATE)
    except (AppError, SQLAlchemyError, ValueError) as error:
        log.warning("no_vectors", code=getattr(error, "code", "") or str(error), request=asker.request_id)
        return Found(FAILED)


class _Batch(NamedTuple):
    """Passages that follow each other, and have no vectors yet."""

    text: int
    first: int
    words: list[str]


class _Search:
    """One question's: whatever it asks for, it asks within its seconds."""

    def __init__(self, maker: Maker, asker: Asker) -> None:
        self._maker, self._asker = maker, asker
        self._by = kept_vectors.made_by(maker.model)
        self._deadline = time.monotonic() + SECONDS
        self._most = MOST_INPUTS

    def found(self, texts: Sequence[Text], question: str) -> Found:
        (asked,) = self._asked(question)
        cut = offload.run(_cut, [text.words for text in texts])
        there = [self._there(text.source, len(asked)) for text in texts]
        missing = [
            batch
            for number, (words, made) in enumerate(zip(cut, there, strict=True))
            for batch in _batches(number, words, made)
        ]
        if missing:
            jobs = [partial(self._make, batch, texts, there) for batch in missing[:MOST_REQUESTS]]
            in_time(jobs, self._deadline)
        if len(missing) > MOST_REQUESTS:
            raise TooLate
        made = [there[number][at] for number, words in enumerate(cut) for at in range(len(words))]
        begins = [sum(map(len, cut[:number])) for number in range(len(cut) + 1)]
        return Found(MEANING, offload.run(vectors.ranked, made, asked), begins)

    def _there(self, source: Source, length: int) -> dict[int, bytes]:
        """Those that can be compared: a provider may have another model by the same name."""
        return {at: each for at, each in kept_vectors.of(source, self._by).items() if len(each) == length}

    def _asked(self, question: str) -> list[bytes]:
        made = list[bytes]()
        in_time([lambda stop: made.extend(self._ask([question], stop))], self._deadline)
        return made

    def _make(self, batch: _Batch, texts: Sequence[Text], there: Sequence[dict[int, bytes]], stop: StopSignal) -> None:
        if len(batch.words) > self._most:
            self._make_in_parts(batch, texts, there, stop)
            return
        try:
            made = self._ask(batch.words, stop)
        except UpstreamError as error:
            if error.upstream_status not in _TOO_MANY or len(batch.words) <= FEWEST_INPUTS:
                raise
            self._most = FEWEST_INPUTS
            self._make_in_parts(batch, texts, there, stop)
            return
        kept_vectors.keep(texts[batch.text].source, self._by, batch.first, made)
        there[batch.text].update(enumerate(made, batch.first))

    def _make_in_parts(
        self, batch: _Batch, texts: Sequence[Text], there: Sequence[dict[int, bytes]], stop: StopSignal
    ) -> None:
        for at in range(0, len(batch.words), FEWEST_INPUTS):
            part = _Batch(batch.text, batch.first + at, batch.words[at : at + FEWEST_INPUTS])
            self._make(part, texts, there, stop)

    def _ask(self, inputs: Sequence[str], stop: StopSignal) -> list[bytes]:
        return asking.vectors_of(inputs, self._maker, self._asker, stop)


def _cut(texts: Sequence[str]) -> list[list[str]]:
    return [[text[each.begin : each.end] for each in passages.pieces_of(text)] for text in texts]


def _batches(text: int, words: Sequence[str], made: dict[int, bytes]) -> list[_Batch]:
    batches = list[_Batch]()
    for at, each in enumerate(words):
        if at in made:
            continue
        last = batches[-1] if batches else None
        if last and last.first + len(last.words) == at and len(last.words) < MOST_INPUTS:
            last.words.append(each)
        else:
            batches.append(_Batch(text, at, [each]))
    return batches
