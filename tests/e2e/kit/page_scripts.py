"""JavaScript that runs in pages before their own: keeps a list of peer connections, makes fake media."""

import json

from tests.e2e.kit.people import Person

# Every RTCPeerConnection the page makes, for the probes in observe.py.
KEEP_CONNECTIONS = """
(() => {
  const Native = window.RTCPeerConnection;
  if (!Native || window.kit) return;
  window.kit = { connections: [], analysers: new WeakMap(), audio: null };
  window.RTCPeerConnection = class RTCPeerConnection extends Native {
    constructor(...given) { super(...given); window.kit.connections.push(this); }
  };
})();
"""

SYNTHETIC_MEDIA = """
((person) => {
  const camera = (frameRate) => {
    const canvas = document.createElement('canvas');
    canvas.width = 640; canvas.height = 360;
    const context = canvas.getContext('2d');
    let frame = 0;
    setInterval(() => {
      context.fillStyle = person.colour; context.fillRect(0, 0, 640, 360);
      context.fillStyle = '#fff'; context.fillRect((frame++ * 11) % 600, 320, 40, 40);
    }, 1000 / frameRate);
    return canvas.captureStream(frameRate).getVideoTracks()[0];
  };
  const microphone = async () => {
    const audio = new AudioContext();
    await audio.resume();
    const oscillator = audio.createOscillator(), gain = audio.createGain();
    const output = audio.createMediaStreamDestination();
    oscillator.frequency.value = person.tone_hz; gain.gain.value = 0.25;
    oscillator.connect(gain).connect(output); oscillator.start();
    return output.stream.getAudioTracks()[0];
  };
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = new MediaStream();
    if (wanted.video) stream.addTrack(camera(15));
    if (wanted.audio) stream.addTrack(await microphone());
    return stream;
  };
  const device = (kind) => ({ kind, deviceId: kind, groupId: 'kit', label: `kit ${kind}` });
  navigator.mediaDevices.enumerateDevices = async () => ['videoinput', 'audioinput'].map(device);
})
"""


def synthetic_media(person: Person) -> str:
    """A script that replaces the page's camera and microphone by the person's colour and tone."""
    about = {"colour": "rgb({},{},{})".format(*person.colour), "tone_hz": person.tone_hz}
    return f"{SYNTHETIC_MEDIA.strip()}({json.dumps(about)})"
