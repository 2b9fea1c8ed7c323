# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences in another language."""

import sys

GERMAN = {"{what}: {state}": "{state} ({what})", "{size} free": "{size} frei", "Disk": "Platte", "{a} lost": "{b} weg"}


def test_a_sentence_is_looked_up_with_the_sentences_in_it(addon):
    text = sys.modules[f"{addon.progress.__package__}.text"]
    sentence = text.Sentence

    def german(given):
        return text.translated(given, lambda template: GERMAN.get(template, template))

    free = sentence("{size} free", size="2 GB")
    assert german(sentence("{what}: {state}", what=sentence("Disk"), state=free)) == "2 GB frei (Platte)"
    assert german(sentence("{what}: {state}", what="Disk", state=free)) == "2 GB frei (Disk)"  # a name is no sentence
    assert german(sentence("{a} lost", a="Disk")) == "Disk lost"  # the translation does not fit
