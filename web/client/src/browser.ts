/** Where a page is open: a real browser, or a browser inside another application, which often has no camera. */

export type Device = "ios" | "android" | "computer";

/** Marks in the user agent of applications that open links inside themselves. */
const APPLICATIONS: readonly (readonly [RegExp, string])[] = [
  [/MicroMessenger/i, "WeChat"],
  [/WhatsApp/i, "WhatsApp"],
  [/Instagram/i, "Instagram"],
  [/Messenger(ForiOS|LiteForiOS)|Orca-Android/i, "Messenger"],
  [/FBAN|FBAV|FB_IAB/i, "Facebook"],
  [/\bLine\//i, "LINE"],
  [/Telegram/i, "Telegram"],
  [/KAKAOTALK/i, "KakaoTalk"],
  [/Snapchat/i, "Snapchat"],
  [/musical_ly|BytedanceWebview|TikTok|trill/i, "TikTok"],
  [/Twitter for/i, "X"],
  [/LinkedInApp/i, "LinkedIn"],
  [/Viber/i, "Viber"],
  [/\bWeibo\b/i, "Weibo"],
  [/\bQQ\//, "QQ"],
  [/AlipayClient/i, "Alipay"],
];
/** Android says so itself; on iOS a web view is WebKit without the word Safari. */
const ANDROID_WEB_VIEW = /; wv\)/;
const IOS_WEB_VIEW = /(iPhone|iPod|iPad)(?!.*Safari\/)/;

/** The application a page is open in, "" for an unknown one, null for a real browser. */
export function surroundingApp(userAgent: string): string | null {
  const known = APPLICATIONS.find(([mark]) => mark.test(userAgent));
  if (known) return known[1];
  return ANDROID_WEB_VIEW.test(userAgent) || IOS_WEB_VIEW.test(userAgent) ? "" : null;
}

export function deviceOf(userAgent: string): Device {
  if (/iPhone|iPod|iPad/.test(userAgent)) return "ios";
  return /Android/.test(userAgent) ? "android" : "computer";
}

/** Whether this page could ask for a camera and a microphone at all. */
export function hasCameraInterface(): boolean {
  return (
    typeof navigator.mediaDevices?.getUserMedia === "function" && typeof RTCPeerConnection === "function"
  );
}
