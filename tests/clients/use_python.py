"""What a user of the generated Python client writes; run with URL, user name and password."""

from __future__ import annotations

import sys
from collections.abc import Callable

from signpost_client import (
    ApiClient,
    ApiException,
    Configuration,
    PostInput,
    PostPatch,
    PostsApi,
    Problem,
    SignInApi,
    TokenRequest,
)


def main(url: str, username: str, password: str) -> None:
    """Sign in, create, list, patch and delete a post."""
    with ApiClient(Configuration(host=f"{url}/api")) as client:
        grant = TokenRequest(grant_type="password", username=username, password=password)
        client.configuration.access_token = SignInApi(client).create_token(grant).access_token

        posts = PostsApi(client)
        draft = PostInput(title="Grüße from Python", body="*Hello*", tags=["ÅÄÖ"])
        draft.status = "published"
        post = posts.create_post(draft)
        print("created", post.version, post.title, post.tags)

        page = posts.list_posts(author=username, sort="-created_at", limit=100)
        print("listed", [each.title for each in page.items if each.id == post.id])

        etag = posts.get_post_with_http_info(post.id).headers["etag"]
        changed = posts.patch_post(post.id, PostPatch(title="Changed from Python"), if_match=etag)
        print("patched", changed.version, changed.title)

        late = PostPatch(title="Too late")
        refused(lambda: posts.patch_post(post.id, late, if_match=etag))
        posts.delete_post(post.id)
        refused(lambda: posts.get_post(post.id))


def refused(call: Callable[[], object]) -> None:
    """Print the problem that a call ends with."""
    try:
        call()
    except ApiException as error:
        problem: Problem = error.data
        print("refused", problem.status, problem.code)


if __name__ == "__main__":
    main(*sys.argv[1:])
