"""WordPress exports for tests, as WordPress writes them."""

from __future__ import annotations

BEGIN = (
    b'<?xml version="1.0" encoding="UTF-8" ?>\n<rss version="2.0"'
    b' xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/"'
    b' xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    b' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:wp="http://wordpress.org/export/1.2/">'
    b"<channel><wp:wxr_version>1.2</wp:wxr_version>"
)
END = b"</channel></rss>"

_TIMES = {"post_date": "2010-01-01 10:00:00", "post_date_gmt": "2010-01-01 09:00:00"}
_TIMES |= {"post_modified_gmt": "2011-01-01 09:00:00"}
_POST = {"post_id": "5", "post_type": "post", "status": "publish", "post_name": "hello", **_TIMES}


def export(*parts: str) -> bytes:
    """Return an export of these parts."""
    return BEGIN + "".join(parts).encode() + END


def author(login: str, email: str) -> str:
    """Return an author."""
    return (
        f"<wp:author><wp:author_login>{login}</wp:author_login>"
        f"<wp:author_email>{email}</wp:author_email></wp:author>"
    )


def item(
    title: str = "Hello",
    creator: str = "ada",
    content: str = "<p>Some <b>bold</b> text.</p>",
    more: str = "",
    **fields: str,
) -> str:
    """Return a published post; ``fields`` are those with the prefix ``wp:``."""
    own = "".join(f"<wp:{name}>{text}</wp:{name}>" for name, text in (_POST | fields).items())
    return (
        f"<item><title><![CDATA[{title}]]></title><dc:creator>{creator}</dc:creator>"
        f"<content:encoded><![CDATA[{content}]]></content:encoded>{own}"
        '<category domain="category" nicename="news"><![CDATA[News]]></category>'
        '<category domain="post_tag" nicename="news"><![CDATA[news]]></category>'
        f"{more}</item>"
    )
