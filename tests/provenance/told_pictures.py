"""Pictures that say something of their origin: real PNG text, EXIF, XMP and C2PA, made on the fly."""

import hashlib
import io
import json
import struct
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import c2pa
import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import Image, PngImagePlugin

from indexer.imaging.decoding import DecodedImage, decode
from indexer.imaging.limits import ImageLimits
from indexer.settings import Settings
from tests.made_pictures import encoded, scene

TRAINED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


def png_with(texts: Mapping[str, str], seed: int = 1) -> bytes:
    """A PNG file with these texts, in iTXt chunks where Latin-1 does not do."""
    info = PngImagePlugin.PngInfo()
    for keyword, written in texts.items():
        info.add_text(keyword, written)
    return encoded(scene(seed), "PNG", pnginfo=info)


def opened(data: bytes) -> DecodedImage:
    """The picture in the file, as an ingest decodes it."""
    return decode(data, ImageLimits.from_settings(Settings()))


def xmp_packet(inner: str, attributes: str = "") -> str:
    """An XMP packet whose description holds these elements and attributes."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
        'xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/" xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/" '
        f'xmlns:stEvt="http://ns.adobe.com/xap/1.0/sType/ResourceEvent#" {attributes}>{inner}</rdf:Description>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    )


def jpeg_with_xmp(packet: str | bytes, seed: int = 1) -> bytes:
    """A JPEG file with this XMP packet."""
    return encoded(scene(seed), "JPEG", xmp=packet if isinstance(packet, bytes) else packet.encode())


def with_segments(jpeg: bytes, *segments: tuple[int, bytes]) -> bytes:
    """The JPEG file with these application segments (marker's second byte, content) at its start."""
    made = (bytes((0xFF, mark)) + (len(content) + 2).to_bytes(2, "big") + content for mark, content in segments)
    return jpeg[:2] + b"".join(made) + jpeg[2:]


def extended_xmp(inner: str, cut: int = 100) -> bytes:
    """A JPEG file whose packet names an extension, which holds `inner` and lies in segments, the last one first."""
    whole = xmp_packet(inner).encode()
    digest = hashlib.md5(whole, usedforsecurity=False).hexdigest().upper()
    head = b"http://ns.adobe.com/xmp/extension/\0" + digest.encode()
    portions = [
        (0xE1, head + struct.pack(">II", len(whole), at) + whole[at : at + cut]) for at in range(0, len(whole), cut)
    ]
    note = f'xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="{digest}"'
    return with_segments(jpeg_with_xmp(xmp_packet("", note)), *reversed(portions))


def gif_with_xmp(packet: str) -> bytes:
    """A GIF file with this packet in an application extension, before its picture."""
    made = encoded(scene(1), "GIF")
    at = 13 + (3 << ((made[10] & 7) + 1))
    trailer = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
    return made[:at] + b"\x21\xff\x0bXMP DataXMP" + packet.encode() + trailer + made[at:]


def iptc_resources(said: Mapping[int, str]) -> bytes:
    """Photoshop resources as they stand in a JPEG: one of another kind, then IIM with these fields of record 2."""
    fields = [(1, 90, b"\x1b%G"), *((2, number, written.encode()) for number, written in said.items())]
    block = b"".join(struct.pack(">BBBH", 0x1C, *field[:2], len(field[2])) + field[2] for field in fields)
    other = b"8BIM\x03\xed\x03abc\0\0\0\x03xyz\0"
    return other + b"8BIM\x04\x04\0\0" + struct.pack(">I", len(block)) + block


def user_comment(written: str, kind: str = "JPEG", seed: int = 1) -> bytes:
    """A file whose EXIF holds this user comment, as generators write it: UTF-16, big-endian."""
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + written.encode("utf-16-be")
    return encoded(scene(seed), kind, exif=exif)


def with_hidden_text(content: bytes, mark: bytes = b"stealth_pngcomp", kind: str = "PNG", **options: object) -> bytes:
    """A file whose alpha channel hides these bytes in its lowest bits, column by column; else it is opaque."""
    bits = np.unpackbits(np.frombuffer(mark + struct.pack(">I", 8 * len(content)) + content, np.uint8))
    picture = scene(1)
    alpha = np.full(picture.width * picture.height, 255, np.uint8)
    alpha[: len(bits)] = 254 | bits[: len(alpha)]
    picture.putalpha(Image.fromarray(alpha.reshape(picture.width, picture.height).T.copy()))
    return encoded(picture, kind, **options)


INFOTEXT = (
    "portrait of a mayor, film grain\nNegative prompt: blurry, cartoon\nSteps: 20, Sampler: DPM++ 2M, CFG scale: 7, "
    "Seed: 1234567890, Size: 512x512, Model hash: 6CE0161689, Model: v1-5-pruned{more}, Version: v1.9.3"
)


def infotext(more: str = "", prompt: str = "") -> str:
    """AUTOMATIC1111's text of a picture from text alone, with more settings or words."""
    return prompt + INFOTEXT.format(more=more)


def comfy_graph(**changes: dict[str, Any] | None) -> dict[str, Any]:
    """A graph of ComfyUI that makes a picture from text alone; `changes` by node id, None takes a node out."""
    graph: dict[str, Any] = {
        "n3": {
            "class_type": "KSampler",
            "inputs": {
                "seed": 156680208700286,
                "steps": 20,
                "cfg": 8,
                "sampler_name": "euler",
                "scheduler": "normal",
                "denoise": 1,
                "model": ["n4", 0],
                "positive": ["n6", 0],
                "negative": ["n7", 0],
                "latent_image": ["n5", 0],
            },
        },
        "n4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sd/v1-5-pruned.safetensors"}},
        "n5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}},
        "n6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a burning bridge", "clip": ["n4", 1]}},
        "n7": {"class_type": "CLIPTextEncode", "inputs": {"text": "watermark", "clip": ["n4", 1]}},
        "n8": {"class_type": "VAEDecode", "inputs": {"samples": ["n3", 0], "vae": ["n4", 2]}},
        "n9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "ComfyUI", "images": ["n8", 0]}},
    }
    return {name: node for name, node in (graph | changes).items() if node is not None}


def comfy_png(graph: dict[str, Any]) -> bytes:
    return png_with({"prompt": json.dumps(graph)})


class Authority(NamedTuple):
    """A signer's certificate chain and key, and the root alone; all PEM."""

    chain: bytes
    key: bytes
    root: str


@cache
def authority() -> Authority:
    """A certificate authority of our own and a signer it vouches for: what anyone can make."""
    now = datetime.now(UTC)
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())

    def named(common: str) -> x509.Name:
        organisation = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example Newsroom")
        return x509.Name([organisation, x509.NameAttribute(NameOID.COMMON_NAME, common)])

    def certificate(common: str, public: ec.EllipticCurvePublicKey, *, ca: bool) -> x509.CertificateBuilder:
        unused = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
        usage = dict.fromkeys((*unused, "encipher_only", "decipher_only"), False)
        return (
            x509.CertificateBuilder()
            .subject_name(named(common))
            .issuer_name(named("root"))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(
                x509.KeyUsage(digital_signature=not ca, key_cert_sign=ca, crl_sign=ca, **usage), critical=True
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        )

    root = certificate("root", root_key.public_key(), ca=True).sign(root_key, hashes.SHA256())
    signer = (
        certificate("signer", key.public_key(), ca=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Authority(signer.public_bytes(pem) + root.public_bytes(pem), secret, root.public_bytes(pem).decode())


def signed(data: bytes, mime: str = "image/png", remote: str | None = None) -> bytes:
    """The file with a C2PA manifest that says a model made it; with `remote`, only with the address of one."""
    action = {"action": "c2pa.created", "digitalSourceType": TRAINED, "softwareAgent": {"name": "Example Maker"}}
    manifest = {
        "claim_generator_info": [{"name": "Example Maker", "version": "2.1"}],
        "assertions": [{"label": "c2pa.actions", "data": {"actions": [action]}}],
    }
    made = authority()
    signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(b"es256", made.chain, made.key, None))
    builder = c2pa.Builder(json.dumps(manifest))
    if remote is not None:
        builder.set_no_embed()
        builder.set_remote_url(remote)
    out = io.BytesIO()
    builder.sign(signer, mime, io.BytesIO(data), out)
    return out.getvalue()
