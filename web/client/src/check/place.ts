/** Where the patient is now, so that help can be sent; shows the number to call there. */

import { bdi, fill, first, h, show } from "../dom.ts";
import { t } from "../i18n.ts";
import type { Visit } from "../visit-context.ts";
import { numberIn } from "../visit-safety.ts";
import { clone, part } from "../visit-template.ts";
import type { StepFrame, StepScreen } from "./step.ts";

export function openPlace(visit: Visit, frame: StepFrame, told: (country: string) => void): StepScreen {
  const { root } = frame;
  root.append(clone("check-place"));
  part(root, "step").textContent = frame.progress;
  const country = first<HTMLSelectElement>("select", root);
  const place = first<HTMLInputElement>("input", root);
  const form = first<HTMLFormElement>("form", root);
  fill(
    country,
    h("option", { value: "" }, t("Choose the country")),
    ...visit.boot.countries.map((one) => h("option", { value: one.code }, one.name)),
  );
  country.value = visit.boot.country ?? "";
  const number = (): void => {
    const found = numberIn(visit, country.value);
    show(part(root, "number"), found !== null);
    fill(
      part(root, "number-words"),
      t("The emergency number there:"),
      " ",
      h("b", {}, bdi(found ?? "", { dir: "ltr" })),
    );
  };
  country.addEventListener("change", number);
  number();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = place.value.trim();
    const missing = country.value === "" || text === "";
    country.setAttribute("aria-invalid", String(country.value === ""));
    place.setAttribute("aria-invalid", String(text === ""));
    show(part(root, "error"), missing);
    if (missing) return (country.value === "" ? country : place).focus();
    visit.send({ type: "tell_location", country: country.value, text }).then(
      () => {
        told(country.value);
        frame.done();
      },
      (error: unknown) => visit.problem(error),
    );
  });
  return { actions: {} };
}
