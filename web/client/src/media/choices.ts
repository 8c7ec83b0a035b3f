/** Three lists to choose from: camera, microphone and, where the browser can, the loudspeaker. */

import { bdi, fill, h } from "../dom.ts";
import { t } from "../i18n.ts";
import type { Devices } from "./devices.ts";

type Wanted = "videoinput" | "audioinput" | "audiooutput";

/** Fill `place` with the lists of what is plugged in now; call again after a device change. */
export async function fillChoices(
  place: HTMLElement,
  devices: Devices,
  failed: (error: unknown) => void,
): Promise<void> {
  const found = await devices.list();
  const chosen: Record<Wanted, string | undefined> = {
    videoinput: devices.camera?.getSettings().deviceId,
    audioinput: devices.microphone?.getSettings().deviceId,
    audiooutput: devices.choice.speaker ?? "default",
  };
  const label: Record<Wanted, string> = {
    videoinput: t("Camera"),
    audioinput: t("Microphone"),
    audiooutput: t("Speaker"),
  };
  const wanted: Wanted[] = ["videoinput", "audioinput"];
  if ("setSinkId" in HTMLMediaElement.prototype) wanted.push("audiooutput");
  const choose = (kind: Wanted, id: string): void => {
    if (kind === "audiooutput") devices.chooseSpeaker(id);
    else devices.choose(kind === "audioinput" ? "audio" : "video", id).catch(failed);
  };
  const list = (kind: Wanted): HTMLElement | null => {
    const here = found.filter((device) => device.kind === kind);
    if (!here.length) return null;
    const select = h("select", { onchange: () => choose(kind, select.value) }, ...here.map(option));
    select.value = chosen[kind] ?? here[0]?.deviceId ?? "";
    return h("label", { class: "field" }, h("span", { class: "label" }, label[kind]), select);
  };
  const lists = wanted.map(list);
  fill(
    place,
    ...(lists.some(Boolean)
      ? lists
      : [h("p", { class: "dim" }, t("Turn on the camera and microphone first."))]),
  );
}

function option(device: MediaDeviceInfo): HTMLElement {
  return h("option", { value: device.deviceId }, bdi(device.label));
}
