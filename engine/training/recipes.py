# SPDX-License-Identifier: GPL-3.0-or-later
"""Recipes: which stages a training run goes through, on what clips, with which losses, and what may change."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ..contract.errors import UserError
from ..synthetic.settings import ClipSettings, tier_settings
from .objectives import LossWeights
from .person_losses import PersonWeights

PEOPLE_LAYERS: tuple[str, ...] = (
    "downstream_head.mlp_fuse.", "downstream_head.mlp_msk.", "downstream_head.decpose.", "downstream_head.decshape.",
    "downstream_head.deccam.", "downstream_head.decexpression.", "masked_smpl_token", "mhmr_masked_smpl_token",
)  # fmt: skip
"""What human prompt tuning learns (paper section 3.2); everything else stays bit for bit."""


@dataclass(frozen=True)
class Source:
    """A stream of synthetic clips. Seeds of different sources do not overlap."""

    settings: ClipSettings
    weight: int = 1
    """How many of a round's batches come from here."""


@dataclass(frozen=True)
class Stage:
    """A stretch of training with one objective."""

    name: str
    way: str
    """``people``, ``matching`` or ``clips``; see :mod:`.objectives`."""
    steps: int
    batch: int
    """Clips per step and process; for ``people`` their frames count one by one."""
    sources: tuple[Source, ...]
    learning_rate: float
    warmup: int = 100
    weights: LossWeights = field(default_factory=LossWeights)
    learnt: tuple[str, ...] = ("",)
    """Beginnings of the names of the parameters that change."""
    frozen: tuple[str, ...] = ()
    """Beginnings of names that stay although ``learnt`` would take them."""
    pool: int = 192
    """Clips kept; each is used about ``reuse`` times while it is in the pool."""
    reuse: int = 4
    clip_gradient: float = 2.0
    keep_statistics: bool = False
    """Whether batch norms keep their statistics although the weights around them learn."""

    @property
    def fresh(self) -> int:
        """New clips per batch."""
        return max(1, self.batch // self.reuse)

    def learns(self, name: str) -> bool:
        """Whether the parameter of this name changes in this stage."""
        return name.startswith(self.learnt) and not (self.frozen and name.startswith(self.frozen))


@dataclass(frozen=True)
class Recipe:
    """Stages in order."""

    name: str
    stages: tuple[Stage, ...]
    weight_decay: float = 0.05
    betas: tuple[float, float] = (0.9, 0.98)


def _tier(name: str, frames: int, gap: tuple[int, int] | None = None) -> ClipSettings:
    settings = replace(tier_settings(name), frames=frames)
    return settings if gap is None else replace(settings, frame_gap=gap)


def small_from_scratch() -> Recipe:
    """The embedded model: people on single frames, matching, the place and the camera, then all together; at first with
    the prior's encoder fixed, which has to stay what the decoders learn to read, then without."""
    people = Stage(
        "people",
        "people",
        steps=4000,
        batch=12,
        learning_rate=1.2e-3,
        clip_gradient=3.0,
        pool=768,
        sources=(Source(_tier("studio", 2, (8, 25))),),
        learnt=("backbone.", "downstream_head.", "dec_norm.", "masked_smpl_token"),
    )
    jumps, rooms, studio = (Source(_tier(name, 4)) for name in ("camera-people", "camera", "studio"))
    studio = replace(studio, settings=replace(studio.settings, frame_gap=(6, 25)))
    matching = Stage(
        "matching",
        "matching",
        steps=600,
        batch=8,
        learning_rate=1e-3,
        sources=(jumps, rooms),
        pool=96,
        learnt=("patch_embed.", "enc_"),
    )
    people_off = replace(LossWeights(), people=0.0, detection=0.0, mask=0.0, surface=0.0)
    place = Stage(
        "place",
        "clips",
        steps=4000,
        batch=8,
        learning_rate=1e-3,
        pool=96,
        weights=people_off,
        sources=(replace(jumps, weight=2), rooms, studio),
        frozen=("backbone.", "downstream_head.mlp_", "downstream_head.dec"),
    )
    near = replace(studio.settings, frames=3, frame_gap=(1, 14))
    shapes = (Source(near, 5), Source(replace(near, size=(96, 128))), Source(replace(near, size=(128, 64))))
    weights = LossWeights(
        match=0.0,
        flow=0.0,
        world=0.0,
        surface=0.5,
        log_depth=1.5,
        rays=1.5,
        person=PersonWeights(head_depth=2.5, head_side=5.0, betas=0.15),
    )
    both = Stage(
        "together",
        "clips",
        steps=3000,
        batch=8,
        learning_rate=5e-4,
        pool=96,
        keep_statistics=True,
        weights=weights,
        sources=shapes,
        frozen=("backbone.encoder.",),
    )
    last = replace(both, name="finish", steps=2400, learning_rate=4e-4, frozen=())
    return Recipe("small", (people, matching, place, both, last), weight_decay=0.02)


def prompt_tuning(image_size: int = 512) -> Recipe:
    """The paper's: only the human layers learn, from CUT3R and Multi-HMR weights; 4,000 samples an epoch, 40 epochs."""
    clips = Source(replace(_tier("room", 4, (1, 8)), size=(image_size, image_size * 3 // 4)))
    weights = LossWeights(
        paper=True, surface=0.0, match=0.0, flow=0.0, world=0.0, identity=0.0, log_depth=0.0, rays=0.0
    )
    tuning = Stage(
        "prompt tuning",
        "clips",
        steps=20_000,
        batch=8,
        learning_rate=1e-4,
        warmup=2500,
        weights=weights,
        sources=(clips,),
        learnt=PEOPLE_LAYERS,
        pool=64,
        clip_gradient=1.0,
    )
    return Recipe("prompt-tuning", (tuning,), betas=(0.9, 0.95))


RECIPES = {"small": small_from_scratch, "prompt-tuning": prompt_tuning}


def named_recipe(name: str, image_size: int = 512) -> Recipe:
    """The recipe of a name, for a model whose pictures have this long side where the recipe leaves it open.

    Raises UserError (``unknown-recipe``)."""
    if name not in RECIPES:
        raise UserError(
            "unknown-recipe",
            "There is no recipe {name}.",
            "Use one of {recipes}.",
            name=repr(name),
            recipes=", ".join(RECIPES),
        )
    return prompt_tuning(image_size) if name == "prompt-tuning" else RECIPES[name]()


def shortened(recipe: Recipe, factor: float, batch: int | None = None, stages: tuple[str, ...] = ()) -> Recipe:
    """The same with the steps (and warm-ups) of every stage multiplied, another batch size, or only some stages."""
    kept = [stage for stage in recipe.stages if not stages or stage.name in stages]
    missing = set(stages) - {stage.name for stage in kept}
    if missing:
        raise UserError(
            "unknown-stage",
            "The recipe {name} has no stage {missing}.",
            "Use one or more of {names}.",
            name=recipe.name,
            missing=repr(missing.pop()),
            names=", ".join(stage.name for stage in recipe.stages),
        )
    return replace(recipe, stages=tuple(_shortened(stage, factor, batch or stage.batch) for stage in kept))


def _shortened(stage: Stage, factor: float, batch: int) -> Stage:
    steps = max(1, round(stage.steps * factor))
    # Nothing is kept that a very short run would never draw: a trial should not wait for hundreds of clips.
    return replace(
        stage,
        steps=steps,
        warmup=max(1, round(stage.warmup * min(factor, 1))),
        batch=batch,
        pool=max(batch, min(stage.pool, steps * batch)),
    )
