"""arXiv's listing and API, asked of a server on loopback."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest

from summarizer.digest import Paper
from summarizer.errors import InputError, NoListing, NotYetListed, SourceError
from summarizer.sources import Addresses, Listing, read_listing
from summarizer.sources.atom import read_feed
from summarizer.sources.fetch import Fetch
from tests.loopback import Clock, Loopback, Received, Reply

SHARED = Path(__file__).parents[2] / "shared"
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")

HEAD = """<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/" xmlns="http://www.w3.org/2005/Atom">"""
WEDNESDAY = dt.date(2025, 8, 20)
NOON = "2025-08-20T12:00:00-04:00"
LISTED = "/atom/cs.CL"
API = "/api/query"
A, B, C, D, E = (f"2508.0000{number}" for number in range(1, 6))


def listed(
    arxiv_id: str, announced: str = "new", creator: str = "Ann Lee, Bo Re", **fields: str
) -> str:
    title = escape(fields.get("title", f"Paper {arxiv_id}"))
    return f"""<entry><id>oai:arXiv.org:{arxiv_id}v1</id><title>{title}</title>
      <summary>arXiv:{arxiv_id}v1 Announce Type: {announced}
Abstract: Of {arxiv_id}. Abstract: no header.</summary>
      <category term="cs.CL"/><category term="cs.AI"/>
      <published>2025-08-20T00:00:00-04:00</published>
      <arxiv:announce_type>{announced}</arxiv:announce_type>
      <dc:creator>{escape(creator)}</dc:creator></entry>"""


def listing(*entries: str, updated: str = "2025-08-20T04:00:19.866337+00:00") -> Reply:
    title = "<title>cs.CL updates on arXiv.org</title>"
    return Reply(body=f"{HEAD}{title}<updated>{updated}</updated>{''.join(entries)}</feed>")


def found(arxiv_id: str, primary: str = "cs.CL") -> str:
    return f"""<entry><id>http://arxiv.org/abs/{arxiv_id}v3</id><title>Paper
      {arxiv_id}</title><summary>  Of
      it.</summary><category term="cs.AI"/><category term="{primary}"/>
      <published>2024-05-22T23:30:00Z</published>
      <arxiv:primary_category term="{primary}"/>
      <author><name>José  Re</name></author><author><name>Ann Lee</name></author></entry>"""


def answer(*entries: str, total: int | None = None, status: int = 200) -> Reply:
    count = len(entries) if total is None else total
    return Reply(
        status,
        body=f"{HEAD}<updated>2025-08-20T01:00:00Z</updated>"
        f"<opensearch:totalResults>{count}</opensearch:totalResults>{''.join(entries)}</feed>",
    )


REFUSED = answer(
    "<entry><id>http://arxiv.org/api/errors#incorrect_id_format_for_x</id><title>Error</title>"
    "<summary>incorrect id format for x</summary></entry>",
    status=400,
)


class Server:
    """arXiv on loopback, at a moment of its clock."""

    def __init__(self, now: str = NOON, **scripts: tuple[Reply, ...]) -> None:
        self.clock = Clock(now)
        self.scripts = {LISTED: scripts.get("listed", ()), API: scripts.get("api", ())}
        self.notices: list[str] = []
        self.asked: list[Received] = []

    async def read(self, source: str, date: str | None = None, **options: Any) -> Listing:
        with Loopback() as server:
            for path, replies in self.scripts.items():
                server.script(path, *replies)
            addresses = Addresses(arxiv_feed=server.url + "/atom/", arxiv_api=server.url + API)
            clock = self.clock
            try:
                async with Fetch(now=clock.now, sleep=clock.sleep, jitter=lambda: 1.0) as fetch:
                    return await read_listing(
                        source,
                        date=dt.date.fromisoformat(date) if date else None,
                        notice=self.notices.append,
                        fetch=fetch,
                        addresses=addresses,
                        **options,
                    )
            finally:
                self.asked = server.requests


def ids(read: Listing) -> list[str]:
    return [paper.arxiv_id for paper in read.papers]


MIXED = listing(
    listed("2508.00001"),
    listed("2508.00002", "cross"),
    listed("2508.00003", "replace"),
    listed("2508.00004", "replace-cross"),
    listed("2508.00005"),
)


async def test_a_listing_gives_the_new_papers_of_its_day():
    server = Server(listed=(MIXED,))
    read = await server.read("arxiv:cs.CL")
    assert (read.date, ids(read)) == (WEDNESDAY, ["2508.00001", "2508.00005"])
    assert read.papers[0] == Paper(
        arxiv_id="2508.00001",
        title="Paper 2508.00001",
        abstract="Of 2508.00001. Abstract: no header.",
        authors=("Ann Lee", "Bo Re"),
        categories=("cs.CL", "cs.AI"),
    )
    assert server.notices == ["left out of the listing: 1 cross-listed and 2 replaced"]
    assert ids(await server.read("arxiv:cs.CL", "2025-08-20")) == ids(read)


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({"cross": True}, "125"),
        ({"replaced": True}, "135"),
        ({"cross": True, "replaced": True}, "12345"),
    ],
)
async def test_other_announcements_come_on_demand(options, kept):
    read = await Server(listed=(MIXED,)).read("arxiv:cs.CL", **options)
    assert "".join(arxiv_id[-1] for arxiv_id in ids(read)) == kept


@pytest.mark.parametrize(
    ("creator", "authors"),
    [
        ("Ann Lee", ("Ann Lee",)),
        (r"Paulo Andr\'e Lima, Fran\c{c}ois Fleu", ("Paulo André Lima", "François Fleu")),
        (r"\"{O}zg\"ur \c{S}en, \v{S}. \'{\i}nan", ("Özgür Şen", "Š. ínan")),
        (r"{\O}yvind S{\o}r, \L{}ukasz, Stra\ss e", ("Øyvind Sør", "Łukasz", "Straße")),
        (r"P\'al Erd\H{o}s, Ma\~nuel~Z", ("Pál Erdős", "Mañuel Z")),
        ("Ann Lee (Univ. A, Dept. (B), C), Bo Re (D)", ("Ann Lee", "Bo Re")),
        ("Ann Lee, Ann Lee, ", ("Ann Lee",)),
    ],
)
async def test_authors_of_a_listing_are_read(creator, authors):
    read = await Server(listed=(listing(listed("2508.00001", creator=creator)),)).read(
        "arxiv:cs.CL"
    )
    assert read.papers[0].authors == authors


async def test_a_listing_of_yesterday_is_the_latest_but_not_today_s():
    old = listing(listed("2508.00001"), updated="2025-08-19T04:00:10+00:00")
    assert (await Server(listed=(old,)).read("arxiv:cs.CL")).date == dt.date(2025, 8, 19)
    with pytest.raises(NotYetListed, match="its feed is still of 2025-08-19"):
        await Server(listed=(old,)).read("arxiv:cs.CL", "2025-08-20")


@pytest.mark.parametrize(
    ("now", "date", "error", "told", "requests"),
    [
        (NOON, "2025-08-23", NoListing, "no new papers in cs.CL on 2025-08-23, a Saturday", 0),
        (NOON, "2025-08-17", NoListing, "on 2025-08-17, a Sunday. The working day before is", 0),
        (NOON, "2025-08-20", NoListing, "on 2025-08-20, a Wednesday", 1),
        ("2025-08-23T12:00:00-04:00", None, NoListing, "before is 2025-08-19", 1),
        (NOON, "2025-08-21", NotYetListed, "comes out at midnight of that day", 0),
        # In Seoul it is the 21st already; at arXiv it is not.
        ("2025-08-21T09:00:00+09:00", "2025-08-21", NotYetListed, "midnight of that day", 0),
    ],
)
async def test_an_empty_day_says_why(now, date, error, told, requests):
    server = Server(now, listed=(listing(),))
    with pytest.raises(error, match=told):
        await server.read("arxiv:cs.CL", date)
    assert len(server.asked) == requests


async def test_a_day_with_nothing_new_is_no_listing():
    server = Server(listed=(listing(listed("2508.00001", "replace")),))
    with pytest.raises(NoListing):
        await server.read("arxiv:cs.CL")
    assert server.notices == ["left out of the listing: 1 replaced"]


@pytest.mark.parametrize(
    ("date", "within"),
    [
        # Monday to Tuesday, Thursday to Friday, the weekend, and across a change of clocks.
        ("2025-08-13", "[202508111800 TO 202508121759]"),
        ("2025-08-18", "[202508141800 TO 202508151759]"),
        ("2025-08-19", "[202508151800 TO 202508181759]"),
        ("2025-03-11", "[202503071900 TO 202503101759]"),
    ],
)
async def test_a_past_day_is_asked_by_hours_of_submission(date, within):
    server = Server(api=(answer(found("2508.00001"), found("2508.00002", "cs.AI")),))
    read = await server.read("arxiv:cs.CL", date)
    assert (read.date, ids(read)) == (dt.date.fromisoformat(date), ["2508.00001"])
    (request,) = server.asked
    assert request.query["search_query"] == f"(cat:cs.CL) AND submittedDate:{within}"
    assert server.notices == [
        f"arXiv keeps no past listings: {date} is approximated by hours of submission",
        "left out of the listing: 1 cross-listed",
    ]


async def test_an_answer_of_the_api_is_read():
    read = await Server(api=(answer(found("2405.00001")),)).read("arxiv:cs.CL", "2024-05-23")
    assert read.papers == (
        Paper(
            arxiv_id="2405.00001",
            title="Paper 2405.00001",
            abstract="Of it.",
            authors=("José Re", "Ann Lee"),
            categories=("cs.CL", "cs.AI"),
            published=dt.date(2024, 5, 22),
        ),
    )


async def test_a_whole_archive_is_asked_for_with_its_categories():
    server = Server(api=(answer(found(A, "cs.CL"), found(B, "math.CO"), found(C, "cs")),))
    assert ids(await server.read("arxiv:cs", "2025-08-13")) == [A, C]
    assert server.asked[0].query["search_query"].startswith("(cat:cs OR cat:cs.*) AND ")


async def test_a_long_day_comes_in_pages_three_seconds_apart():
    pages = [answer(*map(found, page), total=5) for page in ([A, B], [C, D], [E])]
    server = Server(api=tuple(pages))
    assert ids(await server.read("arxiv:cs.CL", "2025-08-13")) == [A, B, C, D, E]
    assert [request.query["start"] for request in server.asked] == ["0", "2", "4"]
    assert server.clock.waits == [3.0, 3.0]


async def test_an_empty_feed_under_load_is_waited_for():
    server = Server(
        api=(
            answer(total=2),
            answer(found(A), total=2),
            answer(total=2),
            answer(found(B), total=2),
        )
    )
    assert ids(await server.read("arxiv:cs.CL", "2025-08-13")) == [A, B]
    assert "it holds no paper where there should be 2" in server.notices[1]
    assert server.clock.waits == [4.0, 3.0, 4.0]


async def test_too_many_requests_are_waited_for():
    busy = Reply(429, body="Rate exceeded.")
    server = Server(listed=(busy, Reply(429, headers={"Retry-After": "30"}), MIXED))
    assert len((await server.read("arxiv:cs.CL")).papers) == 2
    assert server.clock.waits == [4.0, 30.0]
    assert server.notices[0] == (
        "127.0.0.1 answered 429 Too Many Requests; try 2 of 6 follows in 4 s"
    )


async def test_a_day_without_submissions_is_no_listing():
    with pytest.raises(NoListing, match="2025-01-01, a Wednesday"):
        await Server(api=(answer(total=0),)).read("arxiv:cs.CL", "2025-01-01")


async def test_replaced_papers_of_a_past_day_cannot_be_had():
    server = Server(api=(answer(found(A)),))
    with pytest.raises(InputError, match="does not tell which papers were replaced"):
        await server.read("arxiv:cs.CL", "2025-08-13", replaced=True)


async def test_papers_by_id_come_in_the_order_asked_for():
    server = Server(api=(answer(found("2405.00002"), found("hep-th/9901001"), total=3),))
    read = await server.read("arxiv:ids:arXiv:hep-th/9901001v1, 2405.00003,2405.00002,2405.00002")
    assert [(p.arxiv_id, p.url) for p in read.papers] == [
        ("hep-th/9901001", "https://arxiv.org/abs/hep-th/9901001v1"),
        ("2405.00002", None),
    ]
    assert read.date is None
    assert server.asked[0].query == {
        "id_list": "hep-th/9901001v1,2405.00003,2405.00002",
        "max_results": "3",
    }
    assert server.notices == ["left out, for arXiv gave no paper with this id: 2405.00003"]


async def test_many_ids_are_asked_for_in_several_questions():
    wanted = [f"2405.{number:05}" for number in range(150)]
    server = Server(api=(answer(*map(found, wanted[:100])), answer(*map(found, wanted[100:]))))
    assert ids(await server.read("arxiv:ids:" + ",".join(wanted))) == wanted
    assert [len(r.query["id_list"].split(",")) for r in server.asked] == [100, 50]


async def test_ids_that_arxiv_does_not_know_end_in_one_sentence():
    server = Server(api=(answer(total=1),))
    with pytest.raises(SourceError, match="no paper where there should be 1"):
        await server.read("arxiv:ids:2405.99999")
    assert len(server.asked) == 6


async def test_an_entry_without_id_is_no_paper():
    nameless = "<entry><title>Nothing</title></entry>"
    read = await Server(api=(answer(nameless, found("2405.00001")),)).read("arxiv:ids:2405.00001")
    assert ids(read) == ["2405.00001"]


@pytest.mark.parametrize("source", ["arxiv:ids:2401", "arxiv:ids:", "arxiv:ids:2405.00001,x"])
async def test_what_is_no_id_is_not_asked_for(source):
    server = Server(api=(REFUSED,))
    with pytest.raises(InputError, match="is no arXiv id"):
        await server.read(source)
    assert server.asked == []


@pytest.mark.parametrize("status", [200, 400])
async def test_what_arxiv_does_not_accept_is_told_in_its_words(status):
    server = Server(api=(Reply(status, body=REFUSED.body),))
    with pytest.raises(InputError, match="does not accept the question: 'incorrect id format"):
        await server.read("arxiv:ids:2405.00001")


async def test_another_refusal_stays_a_failure():
    with pytest.raises(SourceError, match="answered 403 Forbidden"):
        await Server(api=(Reply(403, body="no"),)).read("arxiv:ids:2405.00001")


@pytest.mark.parametrize("source", ["arxiv:", "arxiv:cs.CL/../x", "arxiv:CS", "arxiv:cs.CL OR x"])
async def test_what_is_no_category_is_not_asked_for(source):
    server = Server()
    with pytest.raises(InputError, match="is not the name of an arXiv category"):
        await server.read(source)
    assert server.asked == []


@pytest.mark.parametrize(
    "reply",
    [
        Reply(400, body="Bad archive"),
        Reply(404),
        Reply(
            body=f"{HEAD}<title>Feed error for query: x</title><subtitle>Bad x</subtitle></feed>"
        ),
    ],
)
async def test_a_category_that_arxiv_does_not_have_is_told(reply):
    with pytest.raises(InputError, match=r"arXiv has no (category|listing of) 'cs.CL'"):
        await Server(listed=(reply,)).read("arxiv:cs.CL")


async def test_a_page_of_words_in_place_of_a_feed_is_asked_for_again():
    server = Server(listed=(Reply(body="<html><p>Busy</html>"), MIXED))
    assert len((await server.read("arxiv:cs.CL")).papers) == 2
    assert "this is a web page" in server.notices[0]


@needs_shared
async def test_the_real_listing_and_the_real_answer_are_read():
    real = SHARED / "real"
    feed = Reply(body=(real / "arxiv-listing.atom.xml").read_bytes())
    read = await Server(listed=(feed,)).read("arxiv:cs.CL", cross=True)
    assert (read.date, len(read.papers)) == (WEDNESDAY, 7)
    assert read.papers[2].authors == ("Paulo André Lima de Castro",)
    assert not any((p.abstract or "").startswith("arXiv:") for p in read.papers)
    api = read_feed((real / "arxiv-api.atom.xml").read_bytes())
    assert (api.total, len(api.entries)) == (214881, 10)
    assert api.entries[0].paper.published == dt.date(2022, 2, 24)
    assert api.entries[0].paper.categories[0] == "cs.SE"
