# SPDX-License-Identifier: GPL-3.0-or-later
"""Alembic by the format's own library, through `alembic3d`: the locators of joints and the moving surfaces."""

import numpy as np
from alembic3d import Abc, AbcGeom

from engine.contract.skeleton import JOINT_NAMES

from .looks import Z_UP, Seen, in_order, joint_of


def read(path, times, rows):
    """Everybody in the file: the format has y up by convention."""
    archive = Abc.IArchive(str(path))
    objects = list(_below(archive.getTop()))
    people, surfaces, keys = {}, {}, set()
    for item in objects:
        home = item.getFullName().split("/")[1]
        if AbcGeom.IXform.matches(item.getHeader()):
            schema = AbcGeom.IXform(item.getParent(), item.getName()).getSchema()
            keys |= _moments(schema)
            if joint_of(item.getName()) is not None:
                places = np.array([_world(item, time_s)[3, :3] for time_s in times.tolist()])
                people.setdefault(_owner(item), {})[item.getName()] = places
        elif AbcGeom.IPolyMesh.matches(item.getHeader()):
            schema = AbcGeom.IPolyMesh(item.getParent(), item.getName()).getSchema()
            keys |= _moments(schema)
            surfaces[home] = np.stack([_points(item, schema, times[row]) for row in rows]) @ Z_UP.T
    joints = np.array([in_order(places) for places in people.values()]) @ Z_UP.T
    return Seen(np.array(sorted(keys)), joints, list(surfaces.values()))


def _below(item):
    for number in range(item.getNumChildren()):
        child = item.getChild(number)
        yield child
        yield from _below(child)


def _owner(item):
    """Whose joint a locator is: what stands before the joint's name in its own."""
    return item.getName().removesuffix(JOINT_NAMES[joint_of(item.getName())])


def _moments(schema):
    sampling = schema.getTimeSampling()
    count = schema.getNumSamples()
    return {sampling.getSampleTime(number) for number in range(count)} if count > 1 else set()


def _world(item, time_s):
    """(4, 4), for row vectors, of an object and all above it."""
    world = np.eye(4)
    while item.getParent().valid() and item.getName() != "ABC":
        if AbcGeom.IXform.matches(item.getHeader()):
            schema = AbcGeom.IXform(item.getParent(), item.getName()).getSchema()
            world = world @ _matrix(schema.getValue(Abc.ISampleSelector(float(time_s))).getMatrix())
        item = item.getParent()
    return world


def _matrix(matrix):
    return np.array([[matrix[row][column] for column in range(4)] for row in range(4)])


def _points(item, schema, time_s):
    points = np.array(schema.getValue(Abc.ISampleSelector(float(time_s))).getPositions(), dtype=float)
    world = _world(item, time_s)
    return points @ world[:3, :3] + world[3, :3]
