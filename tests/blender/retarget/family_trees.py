# SPDX-License-Identifier: GPL-3.0-or-later
"""The skeletons of `families`, as trees."""

from collections.abc import Callable

from .families import Family
from .rigs import FINGERS


def _numbered(words: dict[str, str], pattern: str) -> Callable[[str, str, int], str]:
    return lambda side, finger, segment: pattern.format(s=side, f=words.get(finger, finger), n=segment)


_MID = {"thumb": "Thumb", "index": "Index", "middle": "Mid", "ring": "Ring", "pinky": "Pinky"}

CHARACTER_CREATOR = Family("Character Creator", """
    CC_Base_BoneRoot floor root_motion
     CC_Base_Hip pelvis root
      CC_Base_Pelvis pelvis pelvis
       CC_Base_{s}_Thigh hip hip
        CC_Base_{s}_ThighTwist01 hip>knee:0.1 -
        CC_Base_{s}_ThighTwist02 hip>knee:0.5 -
        CC_Base_{s}_Calf knee knee
         CC_Base_{s}_KneeShareBone knee -
         CC_Base_{s}_CalfTwist01 knee>ankle:0.1 -
         CC_Base_{s}_Foot ankle ankle
          CC_Base_{s}_ToeBaseShareBone foot -
          CC_Base_{s}_ToeBase foot foot
           CC_Base_{s}_BigToe1 foot -
      CC_Base_Waist spine1 spine
       CC_Base_Spine01 spine2 spine
        CC_Base_Spine02 spine3 spine
         CC_Base_NeckTwist01 neck neck
          CC_Base_NeckTwist02 neck>head:0.5 neck
           CC_Base_Head head head
            CC_Base_FacialBone head -
             CC_Base_JawRoot jaw jaw
              CC_Base_Tongue01 jaw -
             CC_Base_{s}_Eye head -
         CC_Base_{s}_RibsTwist spine3 -
          CC_Base_{s}_Breast spine3 -
         CC_Base_{s}_Clavicle collar collar
          CC_Base_{s}_Upperarm shoulder shoulder
           CC_Base_{s}_UpperarmTwist01 shoulder>elbow:0.1 -
           CC_Base_{s}_Forearm elbow elbow
            CC_Base_{s}_ElbowShareBone elbow -
            CC_Base_{s}_ForearmTwist01 elbow>wrist:0.1 -
            CC_Base_{s}_Hand wrist wrist
             *
""", finger=_numbered(_MID, "CC_Base_{s}_{f}{n}"))  # fmt: skip

DAZ_8 = Family("Daz Genesis 8", """
    hip pelvis root
     pelvis pelvis>spine1:0.3 pelvis
      {s}ThighBend hip hip
       {s}ThighTwist hip>knee:0.5 -
        {s}Shin knee knee
         {s}Foot ankle ankle
          {s}Metatarsals ankle>foot:0.5 -
           {s}Toe foot foot
            {s}BigToe foot -
     abdomenLower spine1 spine
      abdomenUpper spine2 spine
       chestLower spine3 spine
        {s}Pectoral spine3 -
        chestUpper spine3>neck:0.4 spine
         neckLower neck neck
          neckUpper neck>head:0.5 neck
           head head head
            lowerJaw jaw jaw
         {s}Collar collar collar
          {s}ShldrBend shoulder shoulder
           {s}ShldrTwist shoulder>elbow:0.5 -
            {s}ForearmBend elbow elbow
             {s}ForearmTwist elbow>wrist:0.5 -
              {s}Hand wrist wrist
               {s}Carpal1 wrist>index1:0.3 -
               *
""", ("l", "r"), _numbered(_MID, "{s}{f}{n}"))  # fmt: skip

DAZ_9 = Family("Daz Genesis 9", """
    hip pelvis root
     pelvis pelvis pelvis
      {s}_thigh hip hip
       {s}_thightwist1 hip>knee:0.2 -
       {s}_thightwist2 hip>knee:0.6 -
       {s}_shin knee knee
        {s}_foot ankle ankle
         {s}_metatarsals ankle>foot:0.5 -
         {s}_toes foot foot
          {s}_bigtoe1 foot -
     spine1 spine1 spine
      spine2 spine2 spine
       spine3 spine3 spine
        spine4 spine3>neck:0.4 spine
         {s}_pectoral spine3 -
         neck1 neck neck
          neck2 neck>head:0.5 neck
           head head head
            lowerjaw jaw jaw
         {s}_shoulder collar collar
          {s}_upperarm shoulder shoulder
           {s}_upperarmtwist1 shoulder>elbow:0.5 -
           {s}_forearm elbow elbow
            {s}_forearmtwist1 elbow>wrist:0.5 -
            {s}_hand wrist wrist
             *
""", ("l", "r"), lambda s, f, n: f"{s}_{_MID[f].lower()}{n}")  # fmt: skip

_ORDER = {finger: number + 1 for number, finger in enumerate(FINGERS)}

MAKEHUMAN = Family("MakeHuman", """
    root pelvis pelvis
     pelvis.{s} pelvis>hip:0.5 -
      upperleg01.{s} hip hip
       upperleg02.{s} hip>knee:0.5 -
        lowerleg01.{s} knee knee
         lowerleg02.{s} knee>ankle:0.5 -
          foot.{s} ankle ankle
           toe1-1.{s} foot -
            toe1-2.{s} foot -
           toe2-1.{s} foot foot
            toe2-2.{s} foot -
     spine05 spine1 spine
      spine04 spine1>spine2:0.5 spine
       spine03 spine2 spine
        spine02 spine3 spine
         breast.{s} spine3 -
         spine01 spine3>neck:0.5 spine
          neck01 neck neck
           neck02 neck>head:0.3 neck
            neck03 neck>head:0.6 neck
             head head head
              jaw jaw jaw
          clavicle.{s} collar collar
           shoulder01.{s} collar>shoulder:0.7 -
            upperarm01.{s} shoulder shoulder
             upperarm02.{s} shoulder>elbow:0.5 -
              lowerarm01.{s} elbow elbow
               lowerarm02.{s} elbow>wrist:0.5 -
                wrist.{s} wrist wrist
                 *
""", ("L", "R"), lambda s, f, n: f"finger{_ORDER[f]}-{n}.{s}")  # fmt: skip

_MANNEQUIN_LIMBS = """
      clavicle_{s} collar collar
       upperarm_{s} shoulder shoulder
        upperarm_twist_01_{s} shoulder>elbow:0.4 -
        lowerarm_{s} elbow elbow
         lowerarm_twist_01_{s} elbow>wrist:0.6 -
         hand_{s} wrist wrist
          *
"""
_MANNEQUIN_LEGS = """
  thigh_{s} hip hip
   thigh_twist_01_{s} hip>knee:0.4 -
   calf_{s} knee knee
    calf_twist_01_{s} knee>ankle:0.4 -
    foot_{s} ankle ankle
     ball_{s} foot foot
"""

MAKEHUMAN_GAME = Family("MakeHuman Game Engine", """
Root floor root_motion
 pelvis pelvis pelvis
""" + _MANNEQUIN_LEGS + """
  spine_01 spine1 spine
   spine_02 spine2 spine
    spine_03 spine3 spine
     neck_01 neck neck
      head head head
""" + _MANNEQUIN_LIMBS.replace("\n      ", "\n     "), ("l", "r"), _numbered({}, "{f}_0{n}_{s}"))  # fmt: skip

METAHUMAN = Family("MetaHuman", """
root floor root_motion
 pelvis pelvis pelvis
""" + _MANNEQUIN_LEGS + """
   thigh_correctiveRoot_{s} hip -
    thigh_fwd_{s} hip -
  spine_01 spine1 spine
   spine_02 spine1>spine2:0.5 spine
    spine_03 spine2 spine
     spine_04 spine3 spine
      spine_04_latissimus_{s} spine3 -
      spine_05 spine3>neck:0.5 spine
       neck_01 neck neck
        neck_02 neck>head:0.5 neck
         head head head
          FACIAL_C_FacialRoot head -
           FACIAL_C_Jaw jaw jaw
           FACIAL_L_Eye head -
""" + _MANNEQUIN_LIMBS.replace("\n      ", "\n       ") + """
          index_metacarpal_{s} wrist>index1:0.3 -
          pinky_metacarpal_{s} wrist>pinky1:0.3 -
 ik_hand_root floor -
  ik_hand_{s} wrist -
""", ("l", "r"), _numbered({}, "{f}_0{n}_{s}"))  # fmt: skip

_MMD_TREE = """
全ての親 floor root_motion
 センター pelvis -
  グルーブ pelvis root
   下半身 spine1 pelvis
    足.{s} hip hip
     ひざ.{s} knee knee
      足首.{s} ankle ankle
       つま先.{s} foot foot
   上半身 spine1 spine
    上半身2 spine2 spine
     首 neck neck
      頭 head head
       両目 head -
     肩P.{s} collar -
      肩.{s} collar collar
       腕.{s} shoulder shoulder
        腕捩.{s} shoulder>elbow:0.5 -
         ひじ.{s} elbow elbow
          手捩.{s} elbow>wrist:0.5 -
           手首.{s} wrist wrist
            *
 足IK親.{s} ankle -
  足ＩＫ.{s} ankle -
"""
_JAPANESE = {"thumb": "親指", "index": "人指", "middle": "中指", "ring": "薬指", "pinky": "小指"}
_FULL_WIDTH = "０１２３"


def _mmd_finger(side: str, finger: str, segment: int) -> str:
    return f"{_JAPANESE[finger]}{_FULL_WIDTH[segment - (finger == 'thumb')]}.{side}"


MMD = Family("MikuMikuDance", _MMD_TREE, finger=_mmd_finger)
MMD_RAW = Family(
    "MikuMikuDance", "\n".join(
        line.replace(line.split(".{s}")[0].strip() + ".{s}", "{s}" + line.split(".{s}")[0].strip())
        for line in _MMD_TREE.splitlines()), ("左", "右"),
    lambda side, finger, segment: side + _mmd_finger("", finger, segment)[:-1],
)  # fmt: skip
_ENGLISH = {"thumb": "thumb", "index": "fore", "middle": "middle", "ring": "third", "pinky": "little"}
MMD_ENGLISH = Family("MikuMikuDance", """
mother floor root_motion
 center pelvis -
  groove pelvis root
   lower~body spine1 pelvis
    leg_{s} hip hip
     knee_{s} knee knee
      ankle_{s} ankle ankle
       toe_{s} foot foot
   upper~body spine1 spine
    upper~body2 spine2 spine
     neck neck neck
      head head head
       eyes head -
     shoulder_{s} collar collar
      arm_{s} shoulder shoulder
       arm~twist_{s} shoulder>elbow:0.5 -
        elbow_{s} elbow elbow
         wrist~twist_{s} elbow>wrist:0.5 -
          wrist_{s} wrist wrist
           *
 leg~IK_{s} ankle -
""", finger=lambda s, f, n: f"{_ENGLISH[f]}{n - (f == 'thumb')}_{s}")  # fmt: skip

ROBLOX = Family("Roblox", """
Root floor root_motion
 HumanoidRootNode pelvis -
  LowerTorso pelvis pelvis
   {s}UpperLeg hip hip
    {s}LowerLeg knee knee
     {s}Foot ankle ankle
   UpperTorso spine2 spine
    Head neck head
    {s}UpperArm shoulder shoulder
     {s}LowerArm elbow elbow
      {s}Hand wrist wrist
""", ("Left", "Right"))  # fmt: skip

BIPED = Family("3ds Max Biped", """
Bip001 pelvis -
 Bip001~Footsteps floor -
 Bip001~Pelvis pelvis pelvis
  Bip001~Spine spine1 -
   Bip001~{s}~Thigh hip hip
    Bip001~{s}~Calf knee knee
     Bip001~{s}~Foot ankle ankle
      Bip001~{s}~Toe0 foot foot
       Bip001~{s}~Toe0Nub foot -
   Bip001~Spine1 spine2 spine
    Bip001~Spine2 spine3 spine
     Bip001~Neck neck neck
      Bip001~Head head head
       Bip001~HeadNub head -
      Bip001~{s}~Clavicle collar collar
       Bip001~{s}~UpperArm shoulder shoulder
        Bip001~{s}~Forearm elbow elbow
         Bip001~{s}~Hand wrist wrist
          *
""", finger=lambda s, f, n: f"Bip001 {s} Finger{_ORDER[f] - 1}" + (str(n - 1) if n > 1 else ""))  # fmt: skip


def _godot_finger(side: str, finger: str, segment: int) -> str:
    parts = ("Metacarpal", "Proximal", "Distal") if finger == "thumb" else ("Proximal", "Intermediate", "Distal")
    return f"{side}{'Little' if finger == 'pinky' else finger.title()}{parts[segment - 1]}"


GODOT = Family("Godot Humanoid", """
Root floor root_motion
 Hips pelvis pelvis
  {s}UpperLeg hip hip
   {s}LowerLeg knee knee
    {s}Foot ankle ankle
     {s}Toes foot foot
  Spine spine1 spine
   Chest spine2 spine
    UpperChest spine3 spine
     Neck neck neck
      Head head head
       Jaw jaw jaw
       {s}Eye head -
     {s}Shoulder collar collar
      {s}UpperArm shoulder shoulder
       {s}LowerArm elbow elbow
        {s}Hand wrist wrist
         *
""", ("Left", "Right"), _godot_finger)  # fmt: skip

SMPL = Family("SMPL", """
f_avg_root floor root_motion
 f_avg_Pelvis pelvis pelvis
  f_avg_{s}_Hip hip hip
   f_avg_{s}_Knee knee knee
    f_avg_{s}_Ankle ankle ankle
     f_avg_{s}_Foot foot foot
  f_avg_Spine1 spine1 spine
   f_avg_Spine2 spine2 spine
    f_avg_Spine3 spine3 spine
     f_avg_Neck neck neck
      f_avg_Head head head
     f_avg_{s}_Collar collar collar
      f_avg_{s}_Shoulder shoulder shoulder
       f_avg_{s}_Elbow elbow elbow
        f_avg_{s}_Wrist wrist wrist
         f_avg_{s}_Hand middle1 -
""")  # fmt: skip

SMPLX = Family("SMPL-X", """
root floor root_motion
 pelvis pelvis pelvis
  {s}_hip hip hip
   {s}_knee knee knee
    {s}_ankle ankle ankle
     {s}_foot foot foot
  spine1 spine1 spine
   spine2 spine2 spine
    spine3 spine3 spine
     neck neck neck
      head head head
       jaw jaw jaw
       {s}_eye_smplhf head -
     {s}_collar collar collar
      {s}_shoulder shoulder shoulder
       {s}_elbow elbow elbow
        {s}_wrist wrist wrist
         *
""", ("left", "right"), _numbered({}, "{s}_{f}{n}"))  # fmt: skip

MIXAMO = Family("Mixamo", """
mixamorigHips pelvis pelvis
 mixamorig{s}UpLeg hip hip
  mixamorig{s}Leg knee knee
   mixamorig{s}Foot ankle ankle
    mixamorig{s}ToeBase foot foot
     mixamorig{s}Toe_End foot -
 mixamorigSpine spine1 spine
  mixamorigSpine1 spine2 spine
   mixamorigSpine2 spine3 spine
    mixamorigNeck neck neck
     mixamorigHead head head
      mixamorigHeadTop_End head -
    mixamorig{s}Shoulder collar collar
     mixamorig{s}Arm shoulder shoulder
      mixamorig{s}ForeArm elbow elbow
       mixamorig{s}Hand wrist wrist
        *
""", ("Left", "Right"), lambda s, f, n: f"mixamorig{s}Hand{f.title()}{n}")  # fmt: skip

FAMILIES = {
    "Character Creator": CHARACTER_CREATOR, "Daz Genesis 8": DAZ_8, "Daz Genesis 9": DAZ_9, "MakeHuman": MAKEHUMAN,
    "MakeHuman game engine": MAKEHUMAN_GAME, "MetaHuman": METAHUMAN, "MMD": MMD, "MMD 左": MMD_RAW,
    "MMD in English": MMD_ENGLISH, "Roblox": ROBLOX, "Biped": BIPED, "Godot": GODOT, "SMPL": SMPL, "SMPL-X": SMPLX,
    "Mixamo without separator": MIXAMO,
}  # fmt: skip
