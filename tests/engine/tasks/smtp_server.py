"""A mail server on a free port of 127.0.0.1 for the tests of the task `email` (python3-aiosmtpd).

usage: smtp_server.py DIRECTORY [--starttls | --smtps] [--user NAME --password TEXT]

Prints one JSON document a line: first {"port", "certificate"}, then each mail that it took as
Python's own reader of mail sees it, {"silent": true} when it stops to answer, and then
{"hung_up": true} when the other side leaves. Ends when its standard input does.

What a recipient's name makes it do: unknown: 550, full: 452, silent: no answer. What a sender's
does: spam: 554 after the message, rude: no answer to QUIT.
"""

import argparse
import asyncio
import base64
import email
import email.policy
import json
import logging
import os
import queue
import ssl
import subprocess
import sys
import threading
import warnings

from aiosmtpd.smtp import SMTP, AuthResult


# A long document does not hold the answer up until somebody reads it.
told = queue.SimpleQueue()


def tell(document):
    told.put(document)


def print_what_is_told():
    while True:
        print(json.dumps(told.get()), flush=True)


def parts_of(message):
    for part in message.walk():
        if part.is_multipart():
            continue
        content = part.get_payload(decode=True)
        yield {
            "type": part.get_content_type(),
            "filename": part.get_filename(),
            "base64": base64.b64encode(content).decode(),
            "text": content.decode("utf-8", "replace"),
        }


def describe(server, session, envelope):
    message = email.message_from_bytes(envelope.content, policy=email.policy.default)
    return {
        "mail_from": envelope.mail_from,
        "rcpt_tos": envelope.rcpt_tos,
        "tls": server.transport.get_extra_info("cipher") is not None,
        "user": session.auth_data.decode() if session.auth_data else None,
        "headers": [[name, str(value)] for name, value in message.items()],
        "types": [part.get_content_type() for part in message.walk()],
        "parts": list(parts_of(message)),
        "defects": [str(defect) for part in message.walk() for defect in part.defects],
        "raw": envelope.content.decode("utf-8", "replace"),
    }


class Handler:
    def __init__(self):
        self.rude = False

    async def silence(self, server):
        tell({"silent": True})
        try:
            await server._reader.read()  # until the other side leaves
        finally:
            tell({"hung_up": True})
        return "421 nobody listens"

    async def handle_MAIL(self, server, session, envelope, address, options):
        self.rude = address.startswith("rude@")
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        name = address.split("@")[0]
        if name == "unknown":
            return "550 5.1.1 no such mailbox"
        if name == "full":
            return "452 4.2.2 the mailbox is full"
        if name == "silent":
            return await self.silence(server)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if envelope.mail_from.startswith("spam@"):
            return "554 5.7.1 not wanted"
        tell(describe(server, session, envelope))
        return "250 2.0.0 taken"

    async def handle_QUIT(self, server, session, envelope):
        return await self.silence(server) if self.rude else "221 bye"


def make_certificate(directory):
    certificate, key = os.path.join(directory, "smtp.pem"), os.path.join(directory, "smtp.key")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-days", "1", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", key, "-out", certificate],
        check=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return certificate, context


def main():
    warnings.simplefilter("ignore")  # refused handshakes and credentials without TLS are what
    logging.disable()  # some tests are about
    parser = argparse.ArgumentParser()
    parser.add_argument("directory")
    parser.add_argument("--starttls", action="store_true")
    parser.add_argument("--smtps", action="store_true")
    parser.add_argument("--user")
    parser.add_argument("--password")
    options = parser.parse_args()
    certificate, context = None, None
    if options.starttls or options.smtps:
        certificate, context = make_certificate(options.directory)

    def authenticate(server, session, envelope, mechanism, data):
        known = (data.login.decode(), data.password.decode()) == (options.user, options.password)
        # handled=False: the answer to a refusal is the server's own, 535.
        return AuthResult(success=known, handled=False, auth_data=data.login)

    async def serve():
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: SMTP(Handler(), hostname="localhost", loop=loop,
                         data_size_limit=None,
                         tls_context=context if options.starttls else None,
                         require_starttls=options.starttls,
                         auth_required=options.user is not None,
                         auth_require_tls=options.starttls,
                         authenticator=authenticate if options.user else None),
            "127.0.0.1", 0, ssl=context if options.smtps else None)
        tell({"port": server.sockets[0].getsockname()[1], "certificate": certificate})
        await server.serve_forever()

    def end_with_standard_input():
        sys.stdin.buffer.read()
        os._exit(0)

    threading.Thread(target=print_what_is_told, daemon=True).start()
    threading.Thread(target=end_with_standard_input, daemon=True).start()
    asyncio.run(serve())


if __name__ == "__main__":
    main()
