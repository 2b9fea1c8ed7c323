# SPDX-License-Identifier: GPL-3.0-or-later
"""Skeletons that no preset is made for, as trees (see `families`): bones have to be found by names and hierarchy."""

from .families import Family

OTHERS = {
    "Poser": Family("", """
hip pelvis pelvis
 abdomen spine1 spine
  chest spine3 spine
   neck neck neck
    head head head
     {s}Eye head -
   {s}Collar collar collar
    {s}Shldr shoulder shoulder
     {s}ForeArm elbow elbow
      {s}Hand wrist wrist
 {s}Buttock pelvis>hip:0.5 -
  {s}Thigh hip hip
   {s}Shin knee knee
    {s}Foot ankle ankle
""", ("l", "r")),
    "Maya": Family("", """
Root_M pelvis pelvis
 Hip_{s} hip hip
  HipPart1_{s} hip>knee:0.5 -
   Knee_{s} knee knee
    Ankle_{s} ankle ankle
     Toes_{s} foot foot
      ToesEnd_{s} foot -
 Spine1_M spine1 spine
  Chest_M spine3 spine
   Scapula_{s} collar collar
    Shoulder_{s} shoulder shoulder
     ShoulderPart1_{s} shoulder>elbow:0.5 -
      Elbow_{s} elbow elbow
       Wrist_{s} wrist wrist
        *
   Neck_M neck neck
    Head_M head head
     Jaw_M jaw jaw
""", ("L", "R"), lambda s, f, n: f"{f.title()}Finger{n}_{s}"),
    "vertebrae": Family("", """
Pelvis pelvis pelvis
 L5 spine1 spine
  L3 spine2 spine
   T12 spine3 spine
    T8 spine3>neck:0.5 spine
     Neck neck neck
      Head head head
     {s}Shoulder collar collar
      {s}UpperArm shoulder shoulder
       {s}ForeArm elbow elbow
        {s}Hand wrist wrist
 {s}UpperLeg hip hip
  {s}LowerLeg knee knee
   {s}Foot ankle ankle
    {s}Toe foot foot
""", ("Left", "Right")),
    "ankle, foot and toe": Family("", """
mPelvis pelvis pelvis
 mTorso spine1 spine
  mChest spine3 spine
   mNeck neck neck
    mHead head head
     mSkull head -
   mCollar{s} collar collar
    mShoulder{s} shoulder shoulder
     mElbow{s} elbow elbow
      mWrist{s} wrist wrist
       *
 mHip{s} hip hip
  mKnee{s} knee knee
   mAnkle{s} ankle ankle
    mFoot{s} ankle>foot:0.5 -
     mToe{s} foot foot
""", ("Left", "Right"), lambda s, f, n: f"mHand{f.title()}{n}{s}"),
    "brackets": Family("", """
NPC~Root~[Root] floor root_motion
 NPC~COM~[COM] pelvis root
  NPC~Pelvis~[Pelv] pelvis pelvis
   NPC~{s}~Thigh~[{s}Thg] hip hip
    NPC~{s}~Calf~[{s}Clf] knee knee
     NPC~{s}~Foot~[{s}ft~] ankle ankle
      NPC~{s}~Toe0~[{s}Toe] foot foot
  NPC~Spine~[Spn0] spine1 spine
   NPC~Spine1~[Spn1] spine2 spine
    NPC~Spine2~[Spn2] spine3 spine
     NPC~Neck~[Neck] neck neck
      NPC~Head~[Head] head head
     NPC~{s}~Clavicle~[{s}Clv] collar collar
      NPC~{s}~UpperArm~[{s}Uar] shoulder shoulder
       NPC~{s}~UpperarmTwist1~[{s}Ut1] shoulder -
       NPC~{s}~Forearm~[{s}Lar] elbow elbow
        NPC~{s}~Hand~[{s}Hnd] wrist wrist
         *
""", ("L", "R"), lambda s, f, n: f"NPC {s} Finger{('thumb', 'index', 'middle', 'ring', 'pinky').index(f)}{n - 1}"
     f" [{s}F{n}]"),
    "a spine up to the head": Family("", """
root floor root_motion
 DEF-spine pelvis pelvis
  DEF-pelvis.{s} pelvis -
  DEF-thigh.{s} hip hip
   DEF-thigh.{s}.001 hip>knee:0.5 -
    DEF-shin.{s} knee knee
     DEF-shin.{s}.001 knee>ankle:0.5 -
      DEF-foot.{s} ankle ankle
       DEF-toe.{s} foot foot
  DEF-spine.001 spine1 spine
   DEF-spine.002 spine2 spine
    DEF-spine.003 spine3 spine
     DEF-spine.004 neck neck
      DEF-spine.005 neck>head:0.5 neck
       DEF-spine.006 head head
        DEF-jaw jaw jaw
     DEF-shoulder.{s} collar collar
      DEF-upper_arm.{s} shoulder shoulder
       DEF-upper_arm.{s}.001 shoulder>elbow:0.5 -
        DEF-forearm.{s} elbow elbow
         DEF-forearm.{s}.001 elbow>wrist:0.5 -
          DEF-hand.{s} wrist wrist
           DEF-palm.01.{s} wrist>index1:0.3 -
           *
""", ("L", "R"), lambda s, f, n: f"DEF-{'f_' * (f != 'thumb')}{f}.0{n}.{s}"),
    "spoken": Family("", """
Armature floor -
 Hips pelvis pelvis
  {s}~leg hip hip
   {s}~knee knee knee
    {s}~ankle ankle ankle
     {s}~toe foot foot
  Spine spine1 spine
   Chest spine3 spine
    Neck neck neck
     Head head head
      Hair1 head -
    {s}~shoulder collar collar
     {s}~arm shoulder shoulder
      {s}~elbow elbow elbow
       {s}~wrist wrist wrist
        *
""", ("Left", "Right"), lambda s, f, n: f"{f.title()}Finger{n}_{s[0]}"),
    "upper and lower behind": Family("", """
Root floor root_motion
 hips pelvis pelvis
  {s}_leg_upper hip hip
   {s}_leg_lower knee knee
    {s}_foot ankle ankle
     {s}_toes foot foot
  torso_lower spine1 spine
   torso_upper spine3 spine
    neck neck neck
     head head head
    {s}_shoulder collar collar
     {s}_arm_upper shoulder shoulder
      {s}_arm_lower elbow elbow
       {s}_hand wrist wrist
        *
""", ("left", "right"), lambda s, f, n: f"{s}_finger_{f}_{n}"),
}  # fmt: skip
