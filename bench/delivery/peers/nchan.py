"""nchan, a publish/subscribe module for nginx in C. Debian's packages, unpacked rather than installed: no service
is started and nothing of a machine's own nginx is touched."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bench.delivery.peers.base import Peer, Publication, Receiver, Unavailable
from bench.delivery.places import HOST, INSTALLED

FOLDER = INSTALLED / "nginx"
COMPILED_IN = Path("/var/lib/nginx")  # the module wants this folder to exist, whatever the configuration says
PACKAGES = ("nginx", "libnginx-mod-nchan")
CONFIGURATION = """\
load_module {folder}/usr/lib/nginx/modules/ngx_nchan_module.so;
user root;
worker_processes 1;
worker_rlimit_nofile 20000;
daemon off;
pid {home}/pid;
error_log stderr warn;
events {{ worker_connections 19000; }}
http {{
    access_log off;
    client_body_temp_path {home}/body; proxy_temp_path {home}/proxy; fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi; scgi_temp_path {home}/scgi;
    keepalive_requests 1000000000;
    nchan_max_reserved_memory 512m;
    nchan_message_buffer_length {kept};
    nchan_message_timeout 1h;
    server {{
        listen {host}:{port} backlog=4096;
        location = /subscribe {{
            nchan_subscriber websocket;
            nchan_channel_id $arg_c;
            nchan_channel_id_split_delimiter ",";
        }}
        location ~ ^/publish/(.+)$ {{
            nchan_publisher http;
            nchan_channel_id $1;
        }}
    }}
}}
"""


class Nchan(Peer):
    """With the ten messages that nchan keeps by default."""

    name = "nchan"
    title = "nchan (C, in nginx)"
    kept = 10

    def install(self) -> None:
        if not (FOLDER / "usr/sbin/nginx").exists():
            _unpack()
        self._check()

    def command(self, home: Path, port: int) -> Sequence[str | Path]:
        configuration = CONFIGURATION.format(folder=FOLDER, home=home, host=HOST, port=port, kept=self.kept)
        (home / "nginx.conf").write_text(configuration)
        return [FOLDER / "usr/sbin/nginx", "-p", home, "-c", home / "nginx.conf", "-e", "stderr"]

    def receiver(self, channels: Sequence[str]) -> Receiver:
        return Receiver(f"/subscribe?c={','.join(channels)}")

    def publication(self, channel: str, data: str) -> Publication:
        return Publication(f"/publish/{channel}", data)

    def _check(self) -> None:
        try:
            COMPILED_IN.mkdir(exist_ok=True)
        except OSError as exc:
            raise Unavailable(f"nchan needs the folder {COMPILED_IN}, which cannot be made: {exc.strerror}") from exc
        answer = subprocess.run([FOLDER / "usr/sbin/nginx", "-v"], capture_output=True, text=True, check=False)
        if answer.returncode != 0:
            raise Unavailable(f"nginx does not start: {answer.stderr.strip()}")


class NchanWithHistory(Nchan):
    """With as much history as a client may have missed."""

    name = "nchan-history"
    title = "nchan, keeping 10 000 messages"
    kept = 10_000


def _unpack() -> None:
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise Unavailable("nginx with nchan comes from Debian's packages, and this machine has no apt-get")
    downloads = INSTALLED / "debian"
    downloads.mkdir(parents=True, exist_ok=True)
    download = ["apt-get", "download", "-qq", *PACKAGES]
    if subprocess.run(download, cwd=downloads, capture_output=True, check=False).returncode != 0:
        subprocess.run(["apt-get", "update", "-qq"], capture_output=True, check=False)
        answer = subprocess.run(download, cwd=downloads, capture_output=True, text=True, check=False)
        if answer.returncode != 0:
            raise Unavailable(f"apt-get download failed: {answer.stderr.strip()[:300]}")
    for package in sorted(downloads.glob("*.deb")):
        subprocess.run(["dpkg-deb", "-x", package, FOLDER], check=True)
