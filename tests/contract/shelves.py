"""Something in every list, as much of it as is wanted."""

from __future__ import annotations

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models import Comment, Follow, Like, User
from services import clock
from signpost.contract.resources import API
from tests.contract.declared import make_file
from tests.factories import make_post, make_user
from tests.security.world import add_sign_in


class Shelves:
    """Something in every list of one author, as much of it as is wanted."""

    def __init__(self, session: Session, owner: User, caller: FlaskClient) -> None:
        self.session, self.owner, self.caller = session, owner, caller
        picture = int(make_file(caller, "files").headers["Location"].rsplit("/", 1)[1])
        post = make_post(session, owner, cover_id=picture)
        owner.avatar_id = picture
        session.commit()
        self.ids = {"posts": post.id, "users": owner.id}

    def add(self) -> None:
        """Put one more thing into each list."""
        other, when = make_user(self.session), {"created_at": clock.now()}
        make_post(self.session, other, tags=[f"tag-{other.id}"])
        post_id, owner_id = self.ids["posts"], self.owner.id
        self.session.add_all(
            (
                Comment(
                    post_id=post_id, author_id=other.id, body="b", updated_at=clock.now(), **when
                ),
                Like(post_id=post_id, user_id=other.id, **when),
                Follow(follower_id=other.id, followed_id=owner_id, **when),
                Follow(follower_id=owner_id, followed_id=other.id, **when),
            )
        )
        self.session.commit()
        add_sign_in(self.session, self.owner)
        make_file(self.caller, "files")
        make_post(self.session, self.owner)
        deleted = make_post(self.session, self.owner, tags=["gone"])
        assert self.caller.delete(f"{API}/posts/{deleted.id}").status_code == 204
