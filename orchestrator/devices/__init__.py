"""The device protocol: how doors, lifts, fire panels and crash calls talk over MQTT. Pure; shared with both sides."""
