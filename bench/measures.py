"""What is measured: one function per line or two of the table. None of them decides anything."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from bench import client, texts
from bench.comments import comments
from bench.feeds import feed
from bench.files import files
from bench.load import Request, Sample, load
from bench.report import Row
from bench.searches import search
from bench.servers import Server

#: Requests that every worker has served before it is weighed.
_SERVED = 10_000
_PAGE = 900
#: A header that Signpost doesn't know: it makes the answer anew instead of sending one it has kept.
_ANEW = {"X-Anew": "1"}


@dataclass(frozen=True)
class Plan:
    """How long to measure."""

    rounds: int
    """Per server, alternately."""
    seconds: int
    """Per round."""
    starts: int


@dataclass(frozen=True)
class Setting:
    """The two servers, over one database."""

    signpost: Server
    textbook: Server
    plan: Plan


def lists(setting: Setting) -> list[Row]:
    """Compare lists of 20 posts; the textbook's also without its ``COUNT(*)``."""
    ours, theirs = Request("/api/v1/posts?limit=20"), Request("/api/posts?per_page=20")
    uncounted = Request("/api/posts?per_page=20&total=false")
    return [
        _versus(setting, "list of 20 posts", ours, theirs, 4.0),
        _versus(setting, "... made anew each time", Request(ours.path, _ANEW), theirs, None),
        _versus(setting, "... textbook spared its total", ours, uncounted, None),
    ]


def items(setting: Setting) -> list[Row]:
    """Compare one post; then Signpost's answer to a client that has it already."""
    newest = client.newest(setting.signpost)
    ours, theirs = Request(f"/api/v1/posts/{newest}"), Request(f"/api/posts/{newest}")
    held = Request(ours.path, {"If-None-Match": client.etag(setting.signpost, ours.path)})
    whole, unchanged = _alternate(
        setting.plan, ((setting.signpost, ours), (setting.signpost, held))
    )
    figure = f"{_rate(unchanged):,.0f}/s, {_cpu(unchanged):.0f} us CPU; whole: {_cpu(whole):.0f} us"
    return [
        _versus(setting, "one post", ours, theirs, 2.5),
        _versus(setting, "... made anew each time", Request(ours.path, _ANEW), theirs, None),
        Row("one post, 304", figure, details=_details(whole=whole, unchanged=unchanged)),
    ]


def identity(setting: Setting) -> list[Row]:
    """Measure what a token adds to reading one post."""
    path = f"/api/v1/posts/{client.newest(setting.signpost)}"
    token = client.bearer(client.token(setting.signpost))
    return [
        _of_a_token(setting, "signed-in read, beside an anonymous one", path, {}, token),
        _of_a_token(setting, "... made anew each time", path, _ANEW, token),
    ]


def _of_a_token(
    setting: Setting, name: str, path: str, headers: dict[str, str], token: dict[str, str]
) -> Row:
    anonymous, signed_in = Request(path, headers), Request(path, {**headers, **token})
    without, with_ = _alternate(
        setting.plan, ((setting.signpost, anonymous), (setting.signpost, signed_in))
    )
    extra = _cpu(with_) - _cpu(without)
    figure = f"{extra:+.0f} us CPU ({_cpu(without):.0f} -> {_cpu(with_):.0f})"
    details = _details(anonymous=without, signed_in=with_)
    return Row(name, figure, "within 60 us", extra <= 60, details)


def depth(setting: Setting) -> list[Row]:
    """Compare page 900 of a walk by cursor with its first page."""
    path = "/api/v1/posts?limit=20"
    cursor = client.walk(setting.signpost, path, _PAGE - 1)
    pages = (Request(path, _ANEW), Request(f"{path}&cursor={cursor}", _ANEW))
    first, deep = _alternate(setting.plan, [(setting.signpost, page) for page in pages])
    loss = (1 - _rate(deep) / _rate(first)) * 100
    return [
        Row(
            f"cursor page {_PAGE}, beside page 1",
            f"{-loss:+.1f} % ({_rate(first):,.0f} -> {_rate(deep):,.0f}/s)",
            "within 10 %",
            loss <= 10,
            _details(first=first, deep=deep),
        )
    ]


def creations(setting: Setting) -> list[Row]:
    """Compare writing a post of 2 KB; Signpost's with its log and revision."""
    body = json.dumps({"title": "Bench @@", "body": texts.body(0)})
    ours = Request("/api/v1/posts", client.bearer(client.token(setting.signpost)), body)
    theirs = Request("/api/posts", client.bearer(client.login(setting.textbook)), body)
    return [_versus(setting, "create a post", ours, theirs, 1.2)]


def memory(setting: Setting) -> list[Row]:
    """Weigh the largest worker once each has served 10,000 requests."""
    figures = {}
    paths = ((setting.signpost, "/api/v1/posts?limit=20"), (setting.textbook, "/api/posts"))
    for server, path in paths:
        while server.served < _SERVED * len(server.workers()):
            load(server, Request(path), 2)
        figures[server.name] = server.resident_megabytes()
    ours = figures["signpost"]
    figure = f"{ours:.0f} MB (textbook {figures['textbook']:.0f} MB)"
    return [Row("a worker after 10,000 requests", figure, "under 120 MB", ours < 120, figures)]


def starts(setting: Setting) -> list[Row]:
    """Start both anew, several times; the servers run again afterwards."""
    figures: dict[str, list[float]] = {}
    for _ in range(setting.plan.starts):
        for server in (setting.signpost, setting.textbook):
            server.stop()
            figures.setdefault(server.name, []).append(server.start())
    ours, theirs = median(figures["signpost"]), median(figures["textbook"])
    figure = f"{ours:.2f} s (textbook {theirs:.2f} s)"
    return [Row("start to first answer", figure, "under 1.5 s", ours < 1.5, dict(figures))]


def queries(setting: Setting) -> list[Row]:
    """Count the statements of every list of Signpost's."""
    run = subprocess.run(
        [sys.executable, "-m", "bench.queries"],
        env=setting.signpost.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    counts: dict[str, int] = json.loads(run.stdout.splitlines()[-1])
    worst = max(counts, key=lambda path: counts[path])
    figure = f"at most {counts[worst]} ({worst}), of {len(counts)} lists"
    return [Row("statements of a list", figure, "at most 3", counts[worst] <= 3, dict(counts))]


#: In this order: what writes comes after what reads.
ALL = (
    *(queries, lists, items, identity, depth, creations, memory, starts),
    *(comments, files, search, feed),
)


def warm_up(setting: Setting) -> None:
    """Let every thread of every worker serve something."""
    for server, path in ((setting.signpost, "/api/v1/posts"), (setting.textbook, "/api/posts")):
        load(server, Request(path), 2)


def _versus(
    setting: Setting, name: str, ours: Request, theirs: Request, target: float | None
) -> Row:
    a, b = _alternate(setting.plan, ((setting.signpost, ours), (setting.textbook, theirs)))
    ratio = _rate(a) / _rate(b)
    failed = [sum(sample.failed for sample in samples) for samples in (a, b)]
    return Row(
        name,
        f"{ratio:.2f} x ({_rate(a):,.0f} against {_rate(b):,.0f}/s; "
        f"CPU {_cpu(a):,.0f} against {_cpu(b):,.0f} us)"
        + (f"; FAILED: {failed[0]} and {failed[1]}" if any(failed) else ""),
        f"{target} x" if target else "",
        ratio >= target if target else None,
        _details(signpost=a, textbook=b),
    )


def _alternate(plan: Plan, pairs: Iterable[tuple[Server, Request]]) -> list[list[Sample]]:
    """Ask in turns, A B A B ..., so that what disturbs the machine disturbs all alike."""
    pairs = tuple(pairs)
    samples: list[list[Sample]] = [[] for _ in pairs]
    for _ in range(plan.rounds):
        for (server, request), into in zip(pairs, samples, strict=True):
            into.append(load(server, request, plan.seconds))
    return samples


def _rate(samples: Sequence[Sample]) -> float:
    return median(sample.rate for sample in samples)


def _cpu(samples: Sequence[Sample]) -> float:
    return median(sample.cpu for sample in samples)


def _details(**samples: Sequence[Sample]) -> dict[str, Any]:
    return {name: [asdict(sample) for sample in rounds] for name, rounds in samples.items()}
