"""Security keys and passkeys: virtual authenticators plugged into a real browser."""


class Keys:
    """The authenticators plugged into one browser."""

    def __init__(self, browser):
        self.driver = browser.driver
        self._send("enable", enableUI=False)

    def _send(self, command, **parameters):
        return self.driver.execute_cdp_cmd(f"WebAuthn.{command}", parameters)

    def plug(self, **options):
        """A new authenticator; each touch is answered at once."""
        options = {"protocol": "ctap2", "ctap2Version": "ctap2_1", "automaticPresenceSimulation": True, **options}
        return self._send("addVirtualAuthenticator", options=options)["authenticatorId"]

    def usb(self):
        """A key with a button and no PIN."""
        return self.plug(transport="usb", hasResidentKey=False, hasUserVerification=False)

    def internal(self):
        """A platform's own: discoverable, and it knows its person."""
        return self.plug(transport="internal", hasResidentKey=True, hasUserVerification=True, isUserVerified=True)

    def unplug(self, authenticator):
        """Takes it out."""
        self._send("removeVirtualAuthenticator", authenticatorId=authenticator)

    def credentials(self, authenticator):
        """What is kept on it."""
        return self._send("getCredentials", authenticatorId=authenticator)["credentials"]

    def set_counter(self, authenticator, count):
        """Puts back the same credential with another counter, as a copy made earlier would have it."""
        (credential,) = self.credentials(authenticator)
        self._send("removeCredential", authenticatorId=authenticator, credentialId=credential["credentialId"])
        self._send("addCredential", authenticatorId=authenticator, credential={**credential, "signCount": count})

    def leave(self, credential, **options):
        """A new authenticator that holds what was copied from another."""
        authenticator = self.plug(**options)
        self._send("addCredential", authenticatorId=authenticator, credential=credential)
        return authenticator

    def unplug_all(self):
        """Takes everything out."""
        self._send("disable")
        self._send("enable", enableUI=False)

    def close(self):
        """No authenticator, and none to be plugged in."""
        self._send("disable")
