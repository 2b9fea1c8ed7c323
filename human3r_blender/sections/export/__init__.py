# SPDX-License-Identifier: GPL-3.0-or-later
"""People leave Blender: FBX, GLB, BVH, USD, Alembic and AMASS-style npz; and the button for motions to come in.

`motion.py` reads the people at the export's own rate, `formats/` writes them, a file for each format, `staging.py` puts
clean copies into a scene of their own for those that Blender's exporters write. `exporting.py` goes through all of it.
"""

TITLE, ORDER = "Export", 6
