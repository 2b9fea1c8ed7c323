# SPDX-License-Identifier: GPL-3.0-or-later
"""USD by `usd-core`: skeletons as UsdSkel computes them, surfaces as it bakes them, and what its validators say."""

import numpy as np
from pxr import Usd, UsdGeom, UsdSkel, UsdValidation

from .looks import Z_UP, Seen, in_order

_CACHES = []
"""Queries know of their skeletons only as long as the caches that made them live."""


def read(path, times, rows):
    """Everybody in the file."""
    stage = Usd.Stage.Open(str(path))
    rate, turn = stage.GetTimeCodesPerSecond(), _z_up(stage)
    codes = [time_s * rate for time_s in times]
    skeletons = [prim for prim in stage.Traverse() if prim.IsA(UsdSkel.Skeleton)]
    joints = np.array([_joints(prim, codes) for prim in skeletons]) @ turn.T
    keys = {code / rate for prim in stage.Traverse() for one in prim.GetAttributes() for code in one.GetTimeSamples()}
    homes = [UsdSkel.Root.Find(prim).GetPrim() for prim in skeletons]
    assert UsdSkel.BakeSkinning(stage.Traverse())
    surfaces = []
    for home in homes:
        surfaces.append(np.stack([_points(_mesh(home), codes[row]) @ turn.T for row in rows]))
    return Seen(np.array(sorted(keys)), joints, surfaces)


def problems(path):
    """What the validators of the library have against the file."""
    validators = UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
    found = UsdValidation.ValidationContext(validators).Validate(Usd.Stage.Open(str(path)))
    return [f"{problem.GetName()}: {problem.GetMessage()}" for problem in found]


def rest(path):
    """(55, 3) joints and (V, 3) vertices at rest, of everybody in the file."""
    stage = Usd.Stage.Open(str(path))
    turn = _z_up(stage)
    for prim in stage.Traverse():
        if prim.IsA(UsdSkel.Skeleton):
            query = _query(prim)
            world = np.array(UsdGeom.Xformable(prim).ComputeLocalToWorldTransform(0.0))
            poses = np.array(query.GetJointWorldBindTransforms()) @ world
            mesh = _mesh(UsdSkel.Root.Find(prim).GetPrim())
            bound = np.array(UsdSkel.BindingAPI(mesh.GetPrim()).GetGeomBindTransformAttr().Get()) @ world
            points = np.array(mesh.GetPointsAttr().Get(0.0), dtype=float) @ bound[:3, :3] + bound[3, :3]
            yield _in_order(query, poses[None])[0] @ turn.T, points @ turn.T


def _z_up(stage):
    """(3, 3) into meters with z up."""
    is_y_up = UsdGeom.GetStageUpAxis(stage) == UsdGeom.Tokens.y
    return UsdGeom.GetStageMetersPerUnit(stage) * (Z_UP if is_y_up else np.eye(3))


def _mesh(home):
    (mesh,) = [UsdGeom.Mesh(prim) for prim in Usd.PrimRange(home) if prim.IsA(UsdGeom.Mesh)]
    return mesh


def _query(prim):
    cache = UsdSkel.Cache()
    cache.Populate(UsdSkel.Root.Find(prim), Usd.PrimDefaultPredicate)
    query = cache.GetSkelQuery(UsdSkel.Skeleton(prim))
    _CACHES.append(cache)
    return query


def _joints(prim, codes):
    query = _query(prim)
    return _in_order(query, np.array([query.ComputeJointWorldTransforms(UsdGeom.XformCache(code)) for code in codes]))


def _in_order(query, poses):
    """(T, 55, 3) of the (T, J, 4, 4) poses of a skeleton's joints."""
    names = [str(name).rpartition("/")[2] for name in query.GetJointOrder()]
    return in_order({name: poses[:, number, 3, :3] for number, name in enumerate(names)})


def _points(mesh, code):
    points = np.array(mesh.GetPointsAttr().Get(code), dtype=float)
    world = np.array(mesh.ComputeLocalToWorldTransform(code))
    return points @ world[:3, :3] + world[3, :3]
