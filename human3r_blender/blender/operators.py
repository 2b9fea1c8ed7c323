# SPDX-License-Identifier: GPL-3.0-or-later
"""What operators say, in the user's language."""

from __future__ import annotations

import bpy
from bpy.app.translations import pgettext_rpt

from ...engine.contract.errors import UserError
from ...engine.contract.sentences import Sentence
from .text import translated


def say(operator: bpy.types.Operator, kind: str, template: str, /, **values: object) -> None:
    """Report a sentence: ``kind`` is ``INFO``, ``WARNING`` or ``ERROR``."""
    text = template if isinstance(template, Sentence) else Sentence(template, **values)
    operator.report({kind}, translated(text, pgettext_rpt))


def refuse(operator: bpy.types.Operator, error: UserError) -> set[str]:
    """Report an error; what `execute` returns then."""
    operator.report({"ERROR"}, f"{translated(error.message, pgettext_rpt)} {translated(error.remedy, pgettext_rpt)}")
    return {"CANCELLED"}
