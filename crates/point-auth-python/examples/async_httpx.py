"""An async program over httpx: many tasks, one sign-in."""

import asyncio
import os

import httpx

import point_auth

session = point_auth.Session(
    os.environ["POINT_AUTH_USERNAME"],
    password=os.environ["POINT_AUTH_PASSWORD"],
    base_url=os.environ.get("POINT_AUTH_BASE_URL", point_auth.PRODUCTION_URL),
    tls=point_auth.Tls(ca_pem=os.environ.get("POINT_AUTH_CA_PEM")),
    # No task waits for a refresh.
    keep_fresh=True,
)


async def main(path: str) -> None:
    """Calls the API ten times at once."""
    async with httpx.AsyncClient(base_url=session.base_url, auth=session.httpx_auth()) as client:
        answers = await asyncio.gather(*(client.get(path) for _ in range(10)))
    print([answer.status_code for answer in answers])
    print("sign-ins:", session.snapshot().counts["sign_ins"])


if __name__ == "__main__":
    asyncio.run(main(os.environ.get("POINT_AUTH_PATH", "/")))
