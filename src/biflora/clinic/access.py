"""Who comes in, and what each role may do. Default is no.

Staff sessions end after 15 minutes without an act and after 12 hours in any case (NIST 800-63B rev. 3, AAL3;
OWASP ASVS 5.0 ch. 7); a patient's after 30 minutes. The cookie holds a random token; the database its hash.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from biflora.errors import NotAllowed
from biflora.prescription.prescription import Prescriber
from biflora.store import access as rows
from biflora.store.store import Store, now
from biflora.values import Value


class Role(StrEnum):
    CLINICIAN = "clinician"
    PHARMACIST = "pharmacist"
    PATIENT = "patient"
    RESEARCHER = "researcher"


IDLE = {
    Role.CLINICIAN: timedelta(minutes=15),
    Role.PHARMACIST: timedelta(minutes=15),
    Role.RESEARCHER: timedelta(minutes=15),
    Role.PATIENT: timedelta(minutes=30),
}
ABSOLUTE = timedelta(hours=12)
TOUCH_EVERY = timedelta(seconds=60)


class User(Value):
    """Who is logged in."""

    username: str
    display_name: str
    role: Role
    patient_id: str | None = None
    licence_number: str = ""
    licence_state: str = ""

    def as_prescriber(self) -> Prescriber:
        """The signer of a prescription. Raises NotAllowed for anybody but a licensed clinician."""
        if self.role is not Role.CLINICIAN or not self.licence_number:
            raise NotAllowed("Only a clinician with a recorded licence signs a prescription.")
        return Prescriber(
            name=self.display_name, licence_number=self.licence_number, licence_state=self.licence_state
        )


def require(user: User | None, *roles: Role) -> User:
    """`user` when the role is one of `roles`. Raises NotAllowed otherwise."""
    if user is None or user.role not in roles:
        raise NotAllowed("Your role does not open this page; log in with one that does.")
    return user


def require_patient(user: User, patient_id: str, *, also: tuple[Role, ...]) -> None:
    """Let a patient see herself only, and the roles in `also` everybody. Raises NotAllowed otherwise."""
    if user.role in also or (user.role is Role.PATIENT and user.patient_id == patient_id):
        return
    raise NotAllowed("Your role does not open this page; log in with one that does.")


def hash_password(password: str) -> str:
    """Argon2id with 19 MiB, 2 passes (OWASP's smallest recommended cost)."""
    return _hasher().hash(password)


def add_user(
    store: Store,
    *,
    username: str,
    display_name: str,
    role: Role,
    password: str,
    patient_id: str | None = None,
    licence_number: str = "",
    licence_state: str = "",
    demo: bool = False,
    by: str = "system",
) -> None:
    row = rows.UserRow(
        username=username,
        display_name=display_name,
        role=role.value,
        password_hash=hash_password(password),
        patient_id=patient_id,
        licence_number=licence_number,
        licence_state=licence_state,
        demo=demo,
    )
    with store.act(by, "user added") as act:
        rows.add_user(act.connection, row)
        act.note("user added", username)


def demo_users(store: Store) -> list[User]:
    """The logins that the landing page offers with one click; none outside a demo clinic."""
    with store.reading() as connection:
        return [_user(row) for row in rows.all_users(connection) if row.demo]


def user_named(store: Store, username: str) -> User | None:
    with store.reading() as connection:
        row = rows.user(connection, username)
    return None if row is None else _user(row)


def log_in(store: Store, username: str, password: str) -> str | None:
    """A new session's token when the password is right, else None; both are audited."""
    with store.reading() as connection:
        row = rows.user(connection, username)
    # A wrong name costs the same time as a wrong password, so that names cannot be guessed by the clock.
    right = _verify(row.password_hash if row else _nobody(), password) and row is not None
    if not right or row is None:
        with store.act("anonymous", "login refused") as act:
            act.note("login refused", "")
        return None
    return _begin(store, row.username)


def log_in_demo(store: Store, username: str) -> str:
    """One-click login, for demo users only. Raises NotAllowed for anybody else."""
    with store.reading() as connection:
        row = rows.user(connection, username)
    if row is None or not row.demo:
        raise NotAllowed("Only the demo clinic's users log in without a password.")
    return _begin(store, row.username)


def who_is(store: Store, token: str, *, at: datetime | None = None) -> User | None:
    """The user of a live session, or None; keeps the session awake."""
    at = at or now()
    digest = _digest(token)
    with store.reading() as connection:
        session = rows.session(connection, digest)
        row = None if session is None else rows.user(connection, session.username)
    if session is None or row is None:
        return None
    user = _user(row)
    if at - session.begun_at > ABSOLUTE or at - session.seen_at > IDLE[user.role]:
        log_out(store, token, what="session expired")
        return None
    if at - session.seen_at > TOUCH_EVERY:
        with store.writing() as connection:
            rows.touch_session(connection, digest, at)
    return user


def log_out(store: Store, token: str, *, what: str = "logged out") -> None:
    digest = _digest(token)
    with store.reading() as connection:
        session = rows.session(connection, digest)
    if session is None:
        return
    with store.act(session.username, what) as act:
        rows.end_session(act.connection, digest)
        act.note(what, session.username)


def csrf_token(session_token: str) -> str:
    """The token that every form of this session carries; useless without the cookie, and unlike it."""
    return hmac.new(session_token.encode(), b"biflora form", hashlib.sha256).hexdigest()


def csrf_holds(session_token: str, given: str) -> bool:
    return hmac.compare_digest(csrf_token(session_token).encode(), given.encode())


def _begin(store: Store, username: str) -> str:
    token, at = secrets.token_urlsafe(32), now()
    with store.act(username, "logged in") as act:
        rows.end_sessions_begun_before(act.connection, at - ABSOLUTE)
        rows.begin_session(
            act.connection,
            rows.SessionRow(token_sha256=_digest(token), username=username, begun_at=at, seen_at=at),
        )
        act.note("logged in", username)
    return token


def _user(row: rows.UserRow) -> User:
    return User(
        username=row.username,
        display_name=row.display_name,
        role=Role(row.role),
        patient_id=row.patient_id,
        licence_number=row.licence_number,
        licence_state=row.licence_state,
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


@cache
def _nobody() -> str:
    return hash_password(secrets.token_hex(8))


def _verify(password_hash: str, password: str) -> bool:
    try:
        return bool(_hasher().verify(password_hash, password))
    except VerifyMismatchError:
        return False
