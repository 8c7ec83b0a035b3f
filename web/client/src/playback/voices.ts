/** Who is heard, and how loud: all voices or those of one language, and a slider for each person. */

import { all, bdi, fill, h } from "../dom.ts";
import { t } from "../i18n.ts";
import { languageName } from "../names.ts";
import { type Film, isHeard, languagesOf } from "./film.ts";
import type { Tile } from "./stage.ts";
import { personName } from "./words.ts";

interface Voice {
  readonly tile: Tile;
  volume: number;
}

/** Fill the choice of language and the list of sliders, and keep the videos' sound as they say. */
export function startVoices(
  choice: HTMLElement,
  list: HTMLElement,
  film: Film,
  tiles: readonly Tile[],
): void {
  const voices: Voice[] = tiles.filter((tile) => tile.hasVoice).map((tile) => ({ tile, volume: 1 }));
  let language: string | null = null;
  const apply = (): void => {
    for (const { tile, volume } of voices) {
      tile.media.volume = volume;
      tile.media.muted = volume === 0 || !isHeard(tile.strip.person, language);
    }
    for (const button of all("button", choice))
      button.setAttribute("aria-pressed", String((button.dataset.language || null) === language));
  };
  const option = (tag: string, words: string): HTMLElement =>
    h(
      "button",
      {
        type: "button",
        "data-language": tag,
        onclick: () => {
          language = tag || null;
          apply();
        },
      },
      words,
    );
  const languages = languagesOf(film.people);
  fill(choice, option("", t("All voices")), ...languages.map((tag) => option(tag, languageName(tag))));
  choice.toggleAttribute("hidden", languages.length < 2);
  fill(list, ...voices.map((voice, at) => slider(voice, at, apply)));
  for (const tile of tiles) if (!tile.hasVoice) tile.media.muted = true;
  apply();
}

function slider(voice: Voice, at: number, apply: () => void): HTMLElement {
  const id = `voice-${at}`;
  const name = personName(voice.tile.strip.person);
  const said = h("span", { class: "num small dim" }, "100 %");
  const input = h("input", {
    type: "range",
    id,
    min: 0,
    max: 100,
    step: 5,
    value: 100,
    "aria-valuetext": "100 %",
  });
  input.addEventListener("input", () => {
    voice.volume = Number(input.value) / 100;
    input.setAttribute("aria-valuetext", `${input.value} %`);
    fill(said, `${input.value} %`);
    apply();
  });
  return h("li", { class: "voice" }, h("label", { for: id }, bdi(name)), input, said);
}
