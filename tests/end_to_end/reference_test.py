"""Every example of the API's reference is run as it is written, with ids that exist."""

import json
import re
import shlex
import unittest

import updraft_e2e
from updraft_e2e import Service, wait_until

REFERENCE = updraft_e2e.HERE.parents[1] / "adapters" / "openapi" / "README.md"


def examples():
    """{action: words of its `updraft call`}."""
    found = re.findall(r"^    updraft call (\S+)(.*)$", REFERENCE.read_text(), re.MULTILINE)
    return {action: shlex.split(rest) for action, rest in found}


class Fixture:
    """A product with what the examples name: a module, a device that runs 1.0.0, a package and a
    batch."""

    count = 0

    def __init__(self, service, test):
        self.service, self.test = service, test
        Fixture.count += 1
        self.product = service.call("CreateProduct", ProductName=f"lamps_{Fixture.count}",
                                    NodeType=0)["ProductKey"]

    def with_device(self):
        self.service.call("CreateOTAModule", ProductKey=self.product, ModuleName="wifi")
        secret = self.service.call("RegisterDevice", ProductKey=self.product,
                                   DeviceName="lamp-0001")["Data"]["DeviceSecret"]
        device = self.service.device(self.product, "lamp-0001", secret)
        self.test.addCleanup(device.drop)
        for module in ("default", "wifi"):
            device.publish(f"/ota/device/inform/{self.product}/lamp-0001", json.dumps(
                {"id": 1, "params": {"version": "1.0.0", "module": module}}), qos=1)
        wait_until("it has reported", lambda: len(self.service.call(
            "ListOTAModuleVersionsByDevice", ProductKey=self.product, DeviceName="lamp-0001",
        )["Data"]["SimpleOTAModuleInfo"]) == 2)
        return self

    def with_package(self, **parameters):
        self.package = self.service.create_package(
            self.product, b"firmware", name=f"package_{Fixture.count}", **parameters)
        return self

    def with_batch(self, action="CreateOTAStaticUpgradeJob", **parameters):
        if action == "CreateOTAStaticUpgradeJob":
            parameters["TargetSelection"] = "ALL"
        self.batch = self.service.call(action, ProductKey=self.product, FirmwareId=self.package,
                                       **parameters)["Data"]["JobId"]
        tasks = wait_until("its target is chosen", lambda: self.service.tasks(self.batch))
        self.task = tasks["lamp-0001"]["TaskId"]
        return self

    def replacements(self):
        names = {"a1BcDeFgHiJ": "product", "s8SSHiKjpBfrM3BSN0z803": "package",
                 "wahVIzGkCMuAUE2gDERM02": "batch", "y3tOmCDNgpR8F9jnVEzC01": "task"}
        return {example: getattr(self, name) for example, name in names.items()
                if hasattr(self, name)}


class ReferenceTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = Service().start()

    @classmethod
    def tearDownClass(cls):
        cls.service.close()

    def fixture_for(self, action):
        """What the action's example needs, freshly made where it changes what it finds."""
        new = Fixture(self.service, self)
        if action in ("RegisterDevice", "BatchRegisterDevice", "BatchCheckDeviceNames",
                      "CreateOTAModule", "CreateOTAFirmware", "DeleteProduct"):
            return new
        if action == "DeleteOTAModule":
            self.service.call("CreateOTAModule", ProductKey=new.product, ModuleName="wifi")
            return new
        new.with_device()
        if action == "CreateOTAVerifyJob":
            return new.with_package(NeedToVerify=True)
        new.with_package()
        if action in ("DeleteOTAFirmware", "CreateOTAStaticUpgradeJob",
                      "CreateOTADynamicUpgradeJob", "DeleteDevice", "DisableThing"):
            return new
        if action == "CancelOTAStrategyByJob":
            return new.with_batch("CreateOTADynamicUpgradeJob", SrcVersion=["1.0.0"])
        if action == "ConfirmOTATask":
            return new.with_batch(NeedConfirm=True)
        new.with_batch()
        if action == "ReupgradeOTATask":
            self.service.call("CancelOTATaskByDevice", ProductKey=new.product,
                              FirmwareId=new.package, DeviceName=["lamp-0001"])
        return new

    # Of actions that change nothing one fixture is enough.
    LOOKS = ("Query", "List", "Get", "Explain", "BatchGet", "Generate")

    def test_every_example_works(self):
        calls = examples()
        self.assertGreater(len(calls), 50)
        shared = self.fixture_for("")
        apply_id = self.service.call("BatchCheckDeviceNames", ProductKey=shared.product,
                                     DeviceName=["lamp-7777"])["Data"]["ApplyId"]
        for action, words in calls.items():
            with self.subTest(action):
                looks = action.startswith(self.LOOKS) or "ApplyId" in action
                fixture = shared if looks else self.fixture_for(action)
                replace = fixture.replacements() | {"1295006": str(apply_id)}
                if action == "CreateProduct":
                    replace["street_lamp"] = "street_lamp"
                elif action == "ImportProduct":  # One that is not here yet.
                    replace["street_lamp"] = "imported_lamp"
                    del replace["a1BcDeFgHiJ"]
                elif action == "UpdateProduct":
                    replace["street_lamp"] = "another_name"
                for word in words:
                    if word.startswith("UDx8c"):
                        replace[word] = self.service.call("CreateAccessKey")["Data"]["AccessKeyId"]
                    if word.startswith("http://"):
                        replace[word] = self.service.upload(b"firmware")
                self.run_call(action, [replace.get(word, word) for word in words])

    def run_call(self, action, words):
        done = self.service.run("call", action, *words, check=False)
        self.assertEqual(done.returncode, 0, f"{words}\n{done.stdout}{done.stderr}")
        self.assertTrue(json.loads(done.stdout)["Success"])


if __name__ == "__main__":
    updraft_e2e.run_tests()
