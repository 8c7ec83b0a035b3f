"""Which server has the media of a consult: one row, so that two servers never both think it is them."""

from collections.abc import Collection, Mapping

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from server.storage.database import Database
from server.storage.lasting import lasting
from server.storage.tables import MediaHome
from signaling.consult.ids import ConsultId
from signaling.consult.news import ServerId


class Homes:
    """The media homes of consults, shared by the servers of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @lasting
    async def claim(self, consult: ConsultId, server: ServerId) -> ServerId:
        """Make `server` the home of a consult that has none. Returns its home."""
        found = (await self.of((consult,))).get(consult)
        if found is not None:
            return found
        try:
            async with self._database.write() as connection:
                await connection.execute(insert(MediaHome).values(consult_id=consult, server=server))
        except IntegrityError:  # another one was faster
            return (await self.of((consult,))).get(consult, server)
        return server

    @lasting
    async def of(self, consults: Collection[ConsultId]) -> Mapping[ConsultId, ServerId]:
        """The homes of those of these consults that have one."""
        query = select(MediaHome.consult_id, MediaHome.server).where(MediaHome.consult_id.in_(consults))
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return {ConsultId(row.consult_id): ServerId(row.server) for row in rows}

    @lasting
    async def move(self, consult: ConsultId, *, old: ServerId, new: ServerId) -> bool:
        """Make `new` the home if `old` still is. Returns whether it was."""
        mine = (MediaHome.consult_id == consult, MediaHome.server == old)
        async with self._database.write() as connection:
            found = await connection.execute(update(MediaHome).where(*mine).values(server=new))
        return found.rowcount == 1

    @lasting
    async def release(self, server: ServerId, consult: ConsultId | None = None) -> None:
        """`server` has the media of this consult no more; of none, if no consult is named."""
        mine = [MediaHome.server == server] + ([MediaHome.consult_id == consult] if consult else [])
        async with self._database.write() as connection:
            await connection.execute(delete(MediaHome).where(*mine))
