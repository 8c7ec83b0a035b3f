/** Staff sign-in. */

import { Failure, post } from "./api.ts";
import { boot } from "./boot.ts";
import { byId, fill, h, icon } from "./dom.ts";
import { t } from "./i18n.ts";

interface SignInBoot {
  /** One of our own pages to go to afterwards. */
  readonly next: string | null;
}

const { next } = boot<SignInBoot>();
const form = byId<HTMLFormElement>("form");
const email = byId<HTMLInputElement>("email");
const password = byId<HTMLInputElement>("password");
const problem = byId("problem");
const button = form.querySelector("button");

function say(words: string, ...wrong: HTMLInputElement[]): void {
  fill(problem, icon("warn"), h("span", {}, words));
  for (const input of [email, password]) input.setAttribute("aria-invalid", String(wrong.includes(input)));
  wrong[0]?.focus();
}

async function signIn(): Promise<void> {
  if (!email.value.trim() || !email.validity.valid) return say(t("Please write your e-mail address."), email);
  if (!password.value) return say(t("Please write your password."), password);
  if (button) button.disabled = true;
  try {
    const { url } = await post<{ url: string }>("/api/signin", {
      email: email.value.trim(),
      password: password.value,
    });
    location.assign(next ?? url);
  } catch (error) {
    if (button) button.disabled = false;
    const code = error instanceof Failure ? error.code : "internal";
    if (code === "wrong_sign_in") say(t("This e-mail and password do not match."), password);
    else say(words(code));
  }
}

function words(code: string): string {
  switch (code) {
    case "too_many":
      return t("Too many tries. Please wait one minute.");
    case "offline":
    case "timeout":
      return t("There is no connection at the moment. Please try again.");
    default:
      return t("Something went wrong on our side. Please try again.");
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  void signIn();
});
email.focus();
