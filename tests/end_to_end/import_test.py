"""A fleet moves over: `updraft import`, access keys, and what of their secrets lies on the disk."""

import json
import os
import pathlib
import subprocess
import unittest

from updraft_e2e import UPDRAFT, Refused, Service, run_tests, wait_until

DEVICES = 2500


def device_line(number, **more):
    return {"Type": "Device", "ProductKey": "a1lamp", "DeviceName": f"lamp-{number:06}",
            "DeviceSecret": f"5ecret-{number:06}", "Versions": {"default": "1.0.0"}, **more}


PRODUCT = {"Type": "Product", "ProductKey": "a1lamp", "ProductName": "street_lamp",
           "ProductSecret": "producT5ecretWord"}
KEY = {"Type": "AccessKey", "AccessKeyId": "LTAImoved", "AccessKeySecret": "keY5ecretWord",
       "Formal": False, "Note": "moved"}


class ImportTest(unittest.TestCase):
    def setUp(self):
        self.service = Service()
        self.addCleanup(self.service.close)
        self.service.start()

    def write(self, name, lines):
        path = os.path.join(self.service.dir, name)
        with open(path, "w") as file:
            for line in lines:
                file.write((line if isinstance(line, str) else json.dumps(line)) + "\n")
        return path

    def run_import(self, path, *options):
        return self.service.run("import", path, *options, check=False)

    def test_a_fleet_moves_over_and_again(self):
        path = self.write("fleet.jsonl",
                          [PRODUCT, KEY, *(device_line(i) for i in range(DEVICES))])
        done = self.run_import(path)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"{DEVICES + 2} brought in, 0 here already, 0 lines not", done.stdout)
        again = self.run_import(path)
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertIn(f"0 brought in, {DEVICES + 2} here already, 0 lines not", again.stdout)
        # A device connects with the secret that it always had; a batch finds it by its version.
        device = self.service.device("a1lamp", "lamp-000007", "5ecret-000007")
        self.addCleanup(device.drop)
        self.assertEqual(device.code, 0)
        package = self.service.create_package("a1lamp", b"firmware")
        job = self.service.create_batch("a1lamp", package, SrcVersion=["1.0.0"])
        wait_until("all devices are targets",
                   lambda: sum(self.service.counts(job).values()) == DEVICES)

    def test_bad_lines_are_told_and_counted_and_the_others_come_in(self):
        other = device_line(1, DeviceSecret="another")
        path = self.write("fleet.jsonl", [PRODUCT, device_line(1), "nonsense",
                                          {"Type": "Device", "DeviceName": "lamp"}, device_line(2)])
        done = self.run_import(path)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{path}:3: the line is no JSON object", done.stderr)
        self.assertIn(f"{path}:4: ProductKey is missing", done.stderr)
        self.assertIn("3 brought in, 0 here already, 2 lines not", done.stdout)
        differs = self.run_import(self.write("other.jsonl", [other]))
        self.assertEqual(differs.returncode, 1)
        self.assertIn("other.jsonl:1: device 'lamp-000001': it is here already with another secret",
                      differs.stderr)
        unknown = self.run_import(self.write("unknown.jsonl",
                                             [device_line(1, ProductKey="a1none")] * 150))
        self.assertEqual(unknown.returncode, 1)
        self.assertEqual(unknown.stderr.count("iot.prod.NotExistedProduct"), 100)
        self.assertIn("50 lines more", unknown.stderr)
        self.assertIn("150 lines not", unknown.stdout)

    def test_csv_of_a_cloud_console(self):
        self.run_import(self.write("product.jsonl", [PRODUCT]))
        path = self.write("devices.csv", ["DeviceName,DeviceSecret", "lamp-000001,s1",
                                          "lamp-000002,s2"])
        done = self.run_import(path, "--product-key", "a1lamp")
        self.assertEqual((done.returncode, done.stderr.count("devices.csv:")), (0, 0), done.stderr)
        detail = self.service.call("QueryDeviceDetail", ProductKey="a1lamp",
                                   DeviceName="lamp-000002")["Data"]
        self.assertEqual(detail["DeviceSecret"], "s2")
        bad = self.run_import(self.write("bad.csv", ["IotId"]))
        self.assertEqual(bad.returncode, 2)
        self.assertEqual(self.run_import("/nonexistent/file").returncode, 2)

    def test_an_import_that_a_kill_interrupts_is_run_again(self):
        path = self.write("fleet.jsonl", [PRODUCT, *(device_line(i) for i in range(DEVICES))])
        importing = subprocess.Popen([UPDRAFT, "import", path, "--devices-per-second", "2000",
                                      "--data", self.service.data], stderr=subprocess.PIPE,
                                     stdout=subprocess.PIPE, text=True)
        wait_until("some are in", lambda: self.device_count() > 0)
        self.service.kill()
        _, error = importing.communicate(timeout=60)
        self.assertEqual(importing.returncode, 3, error)
        self.assertIn("run it again", error)
        self.service.start()
        self.assertEqual(self.run_import(path).returncode, 0)
        self.assertEqual(self.device_count(), DEVICES)

    def device_count(self):
        try:
            return self.service.call("QueryProduct", ProductKey="a1lamp")["Data"]["DeviceCount"]
        except Refused:
            return 0

    def test_a_creating_call_is_done_once_over_a_kill(self):
        product = self.service.create_product()
        order = {"ProductKey": product, "Count": 3, "ClientToken": "once"}
        first = self.service.call("BatchRegisterDevice", **order)["Data"]
        self.service.kill()
        self.service.start()
        self.assertEqual(self.service.call("BatchRegisterDevice", **order)["Data"], first)
        count = self.service.call("QueryProduct", ProductKey=product)["Data"]["DeviceCount"]
        self.assertEqual(count, 3)

    def test_no_secret_and_no_name_lies_on_the_disk_in_clear(self):
        path = self.write("fleet.jsonl", [PRODUCT, KEY, device_line(1, Nickname="nicKnameWord")])
        self.assertEqual(self.run_import(path).returncode, 0)
        made = json.loads(self.service.run("key", "create", "--formal").stdout)
        self.assertEqual(self.service.stop(), 0)
        hidden = [b"5ecret-000001", b"lamp-000001", b"nicKnameWord", b"producT5ecretWord",
                  b"keY5ecretWord", made["AccessKeySecret"].encode()]
        # The broker's files are the gate's, and hold what it needs to tell devices apart.
        log = pathlib.Path(self.service.data) / "log"
        files = [file for file in log.rglob("*") if file.is_file()]
        self.assertTrue(any(b"street_lamp" in file.read_bytes() for file in files))
        for secret in hidden:
            self.assertEqual([file for file in files if secret in file.read_bytes()], [], secret)

    def test_access_keys_are_created_listed_disabled_promoted_and_deleted(self):
        guest = json.loads(self.service.run("key", "create", "--note", "intern").stdout)
        own = self.service.key

        def call_as_guest(action, **parameters):
            self.service.key = {"AccessKeyId": guest["AccessKeyId"],
                                "AccessKeySecret": guest["AccessKeySecret"]}
            try:
                self.service.call(action, **parameters)
                return "done"
            except Refused as refused:
                return refused.code
            finally:
                self.service.key = own

        key = guest["AccessKeyId"]
        listed = json.loads(self.service.run("key", "list").stdout)["AccessKey"]
        self.assertIn({"AccessKeyId": key, "Formal": False, "Enabled": True, "Note": "intern"},
                      [{k: v for k, v in each.items() if k != "UtcCreate"} for each in listed])
        page = {"CurrentPage": 1, "PageSize": 1}
        self.assertEqual(call_as_guest("QueryProductList", **page), "done")
        self.assertEqual(call_as_guest("ListOTAFirmware", **page),
                         "iot.common.AuthActionPermissionDeny")
        self.service.run("key", "promote", key)
        self.assertEqual(call_as_guest("ListOTAFirmware", **page), "done")
        self.service.run("key", "disable", key)
        self.assertEqual(call_as_guest("QueryProductList", **page), "InvalidAccessKeyId.Inactive")
        self.service.run("key", "enable", key)
        self.assertEqual(call_as_guest("QueryProductList", **page), "done")
        self.service.run("key", "delete", key)
        self.assertEqual(call_as_guest("QueryProductList", **page), "InvalidAccessKeyId.NotFound")
        last = self.service.run("key", "delete", own["AccessKeyId"], check=False)
        self.assertEqual(last.returncode, 1)
        self.assertIn("last formal key", last.stderr)
        listed = json.loads(self.service.run("key", "list").stdout)["AccessKey"]
        self.assertEqual([each["AccessKeyId"] for each in listed], [own["AccessKeyId"]])


if __name__ == "__main__":
    run_tests()
