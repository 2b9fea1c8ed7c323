# SPDX-License-Identifier: GPL-3.0-or-later
"""How operators say no."""

from __future__ import annotations

import bpy

from ...engine.contract.errors import UserError


def refuse(operator: bpy.types.Operator, error: UserError) -> set[str]:
    """Report an error; what `execute` returns then."""
    operator.report({"ERROR"}, f"{error.message} {error.remedy}")
    return {"CANCELLED"}
