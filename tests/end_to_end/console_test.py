"""A whole console flow through the vendor's own API clients, in all ways that they sign."""

import json
import os
import subprocess
import unittest

import updraft_e2e
from updraft_e2e import Refused, Service, wait_until

CLIENTS = ("sdk", "sdk-v2", "rpc-get", "rpc-post")


class Console:
    """One of the vendor's clients, that makes the calls it is told."""

    def __init__(self, service, client):
        self.done = set()  # The actions that succeeded.
        self._process = subprocess.Popen(
            ["node", updraft_e2e.HERE / "devices" / "console.js", client, service.http,
             service.key["AccessKeyId"], service.key["AccessKeySecret"]],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"NODE_PATH": updraft_e2e.node_modules()})

    def __call__(self, action, **params):
        self._process.stdin.write(json.dumps({"action": action, "params": params}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        body = answer.get("body", {"Code": answer.get("code"), "Message": answer.get("message")})
        if not body.get("Success"):
            raise Refused(body)
        self.done.add(action)
        return body

    def actions(self):
        """All that the SDK has."""
        self._process.stdin.write('{"list": true}\n')
        self._process.stdin.flush()
        return set(json.loads(self._process.stdout.readline())["actions"])

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(updraft_e2e.DEADLINE_SECONDS)


def published_actions():
    """The names in the list that the table of actions is held against."""
    path = updraft_e2e.HERE.parent / "openapi" / "published_actions.txt"
    return {line.split()[0] for line in path.read_text().splitlines()
            if line and line[0] not in "# "}


class ConsoleTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        updraft_e2e.node_modules()
        cls.service = Service().start()

    @classmethod
    def tearDownClass(cls):
        cls.service.close()

    def flow(self, client):
        call = Console(self.service, client)
        self.addCleanup(call.close)
        return Flow(self, self.service, call, client)

    def assert_refused(self, code, call, action, **params):
        with self.assertRaises(Refused) as refused:
            call(action, **params)
        self.assertEqual(refused.exception.code, code, refused.exception)

    def test_a_console_flow(self):
        for client in CLIENTS:
            with self.subTest(client):
                flow = self.flow(client)
                flow.products_and_devices()
                flow.modules()
                flow.package()
                flow.verification()
                flow.static_batch()
                flow.confirmed_batch()
                flow.gray_batch()
                flow.listed_batch()
                flow.dynamic_batch()
                flow.many_devices()
                flow.end()
                self.assertEqual(published_actions() - flow.call.done, set())

    def test_wrong_calls_are_refused_with_their_codes(self):
        for client in CLIENTS:
            with self.subTest(client):
                call = Console(self.service, client)
                self.addCleanup(call.close)
                self.assert_refused("iot.firmware.InvalidFirmwareId", call, "QueryOTAFirmware",
                                    FirmwareId="nothing")
                self.assert_refused("iot.firmware.InvalidOTAJobId", call, "QueryOTAJob",
                                    JobId="nothing")
                self.assert_refused("iot.prod.NotExistedProduct", call, "RegisterDevice",
                                    ProductKey="a1nothing00", DeviceName="dev-1")


    def test_what_the_sdk_has_and_we_have_not_is_refused_in_words(self):
        sdk = Console(self.service, "sdk")
        self.addCleanup(sdk.close)
        actions, served = sdk.actions(), published_actions()
        self.assertGreater(len(actions), 300)
        self.assertEqual(served - actions, set())
        for action in sorted(actions - served):
            with self.assertRaises(Refused) as refused:
                self.service.call(action)
            self.assertEqual(refused.exception.code, "InvalidAction.NotFound", action)
            self.assertIn(f"there is no action '{action}' here", str(refused.exception))
        for action, why in [("Pub", "messages of one's own to devices are not built"),
                            ("CreateDeviceGroup", "device groups are not built"),
                            ("BatchAddDeviceGroupRelations", "device groups are not built"),
                            ("CreateThingModel", "thing models are not built"),
                            ("CreateRule", "`updraft call --list` shows all")]:
            self.assertIn(action, actions)
            with self.assertRaises(Refused) as refused:
                self.service.call(action)
            self.assertIn(why, str(refused.exception))
        # Over the SDK's own errors as well.
        self.assert_refused("InvalidAction.NotFound", sdk, "CreateDeviceGroup", GroupName="g")


class Flow:
    """The steps of one console session, in their order."""

    NAMES = ("dev-1", "dev-2", "dev-3", "dev-4")

    def __init__(self, test, service, call, client):
        self.test, self.service, self.call, self.client = test, service, call, client

    def products_and_devices(self):
        name = "flow_" + self.client.replace("-", "_")
        created = self.call("CreateProduct", ProductName=name, NodeType=0)
        self.product = created["Data"]["ProductKey"]
        self.test.assertEqual(created["ProductKey"], self.product)
        products = self.call("QueryProductList", CurrentPage=1, PageSize=50)
        listed = [p["ProductName"] for p in products["Data"]["List"]["ProductInfo"]]
        self.test.assertIn(name, listed)
        self.call("UpdateProduct", ProductKey=self.product, Description="of a test")
        described = self.call("QueryProduct", ProductKey=self.product)["Data"]
        self.test.assertEqual(described["Description"], "of a test")

        self.secrets = {}
        for device in self.NAMES:
            data = self.call("RegisterDevice", ProductKey=self.product, DeviceName=device)["Data"]
            self.secrets[device] = data["DeviceSecret"]
        page = self.call("QueryDevice", ProductKey=self.product, CurrentPage=1, PageSize=50)
        self.test.assertEqual(page["Total"], len(self.NAMES))
        self.test.assertEqual({d["DeviceName"] for d in page["Data"]["DeviceInfo"]},
                              set(self.NAMES))
        status = self.call("GetDeviceStatus", ProductKey=self.product, DeviceName="dev-1")
        self.test.assertEqual(status["Data"]["Status"], "UNACTIVE")
        self.call("DisableThing", ProductKey=self.product, DeviceName="dev-1")
        states = self.call("BatchGetDeviceState", ProductKey=self.product,
                           DeviceName=["dev-1", "dev-2"])["DeviceStatusList"]["DeviceStatus"]
        self.test.assertEqual({state["DeviceName"]: state["Status"] for state in states},
                              {"dev-1": "DISABLE", "dev-2": "UNACTIVE"})
        self.call("EnableThing", ProductKey=self.product, DeviceName="dev-1")
        self.connect()

    def connect(self):
        self.devices = {}
        for name, secret in self.secrets.items():
            self.switch_on(name, secret)
        wait_until("all report their version", lambda: all(
            self.call("QueryDeviceDetail", ProductKey=self.product,
                      DeviceName=name)["Data"].get("FirmwareVersion") == "1.0.0"
            for name in self.NAMES))
        detail = self.call("QueryDeviceDetail", ProductKey=self.product, DeviceName="dev-1")
        self.test.assertEqual(detail["Data"]["Status"], "ONLINE")
        versions = self.call("ListOTAModuleVersionsByDevice", ProductKey=self.product,
                             DeviceName="dev-1", CurrentPage=1, PageSize=10)
        self.test.assertEqual(versions["Data"]["SimpleOTAModuleInfo"][0]["ModuleVersion"], "1.0.0")

    def switch_on(self, name, secret):
        self.devices[name] = self.service.device(self.product, name, secret)
        self.test.addCleanup(self.devices[name].drop)
        self.report(name, "1.0.0")

    def report(self, name, version):
        self.devices[name].publish(f"/ota/device/inform/{self.product}/{name}",
                                   json.dumps({"id": 1, "params": {"version": version}}), qos=1)

    def modules(self):
        self.call("CreateOTAModule", ProductKey=self.product, ModuleName="mcu", AliasName="brain")
        self.call("UpdateOTAModule", ProductKey=self.product, ModuleName="mcu", AliasName="heart")
        modules = self.call("ListOTAModuleByProduct", ProductKey=self.product)["Data"]
        alias = {module["ModuleName"]: module.get("AliasName") for module in modules}
        self.test.assertEqual(alias["mcu"], "heart")
        self.test.assert_refused("iot.ota.DeleteOtaDefaultModule", self.call, "DeleteOTAModule",
                                 ProductKey=self.product, ModuleName="default")
        self.call("DeleteOTAModule", ProductKey=self.product, ModuleName="mcu")

    def package(self):
        offer = self.call("GenerateOTAUploadURL", FileSuffix="bin")["Data"]
        self.service.post_file(offer, b"firmware of " + self.client.encode())
        url = offer["FirmwareUrl"]
        self.package_id = self.call(
            "CreateOTAFirmware", ProductKey=self.product, FirmwareName=self.client,
            DestVersion="2.0.0", FirmwareUrl=url)["Data"]["FirmwareId"]
        listed = self.call("ListOTAFirmware", ProductKey=self.product, CurrentPage=1, PageSize=10)
        self.test.assertEqual(
            [p["FirmwareId"] for p in listed["FirmwareInfo"]["SimpleFirmwareInfo"]],
            [self.package_id])
        self.test.assertEqual(self.package_info()["Status"], 0)

    def package_info(self):
        return self.call("QueryOTAFirmware", FirmwareId=self.package_id)["FirmwareInfo"]

    def verification(self):
        self.test.assert_refused("iot.firmware.FirmwareNotVerified", self.call,
                                 "CreateOTAStaticUpgradeJob", FirmwareId=self.package_id,
                                 ProductKey=self.product, TargetSelection="ALL")
        job = self.call("CreateOTAVerifyJob", FirmwareId=self.package_id, ProductKey=self.product,
                        TargetDeviceName=["dev-1"])["Data"]["JobId"]
        self.test.assertEqual(self.package_info()["Status"], 2)
        notice = json.loads(self.devices["dev-1"].receive().payload)
        self.test.assertEqual(notice["data"]["version"], "2.0.0")
        self.report("dev-1", "2.0.0")
        wait_until("the package is verified", lambda: self.package_info()["Status"] == 1)
        self.test.assertEqual(self.job(job)["JobStatus"], "COMPLETED")

    def job(self, job):
        return self.call("QueryOTAJob", JobId=job)["Data"]

    def list_tasks(self, job, **params):
        return self.call("ListOTATaskByJob", JobId=job, CurrentPage=1, PageSize=50,
                         **params)["Data"]["SimpleOTATaskInfo"]

    def tasks(self, job, **params):
        return {task["DeviceName"]: task for task in self.list_tasks(job, **params)}

    def wait_for_states(self, job, **expected):
        wanted = {name.replace("_", "-"): state for name, state in expected.items()}
        wait_until(f"{wanted}", lambda: {
            name: task["TaskStatus"] for name, task in self.tasks(job).items()} == wanted)

    def static_batch(self):
        job = self.call(
            "CreateOTAStaticUpgradeJob", FirmwareId=self.package_id, ProductKey=self.product,
            TargetSelection="SPECIFIC", TargetDeviceName=["dev-2", "dev-3"],
            MaximumPerMinute=1000, TimeoutInMinutes=60)["Data"]["JobId"]
        self.wait_for_states(job, dev_2="NOTIFIED", dev_3="NOTIFIED")
        self.test.assertEqual(self.job(job)["TargetSelection"], "SPECIFIC")
        of_package = self.call("ListOTAJobByFirmware", FirmwareId=self.package_id, CurrentPage=1,
                               PageSize=10)["Data"]["SimpleOTAJobInfo"]
        self.test.assertEqual({info["JobType"] for info in of_package},
                              {"VERIFY_FIRMWARE", "UPGRADE_FIRMWARE"})
        of_device = self.call("ListOTAJobByDevice", FirmwareId=self.package_id,
                              ProductKey=self.product, DeviceName="dev-2", CurrentPage=1,
                              PageSize=10)["Data"]["SimpleOTAJobInfo"]
        self.test.assertEqual([info["JobId"] for info in of_device], [job])
        unfinished = self.call("ListOTAUnfinishedTaskByDevice", ProductKey=self.product,
                               DeviceName="dev-2")["Data"]["SimpleOTATaskInfo"]
        self.test.assertEqual([task["JobId"] for task in unfinished], [job])

        self.call("CancelOTATaskByDevice", FirmwareId=self.package_id, ProductKey=self.product,
                  DeviceName=["dev-3"], JobId=job)
        self.wait_for_states(job, dev_2="NOTIFIED", dev_3="CANCELED")
        self.call("ReupgradeOTATask", JobId=job, TaskId=[self.tasks(job)["dev-3"]["TaskId"]])
        self.wait_for_states(job, dev_2="NOTIFIED", dev_3="NOTIFIED")
        self.report("dev-2", "2.0.0")
        self.wait_for_states(job, dev_2="SUCCEEDED", dev_3="NOTIFIED")
        self.test.assert_refused("iot.firmware.CancelOptionIsMandatory", self.call,
                                 "CancelOTATaskByJob", JobId=job)
        self.call("CancelOTATaskByJob", JobId=job, CancelNotifiedTask=True)
        self.wait_for_states(job, dev_2="SUCCEEDED", dev_3="CANCELED")
        self.test.assertEqual(list(self.tasks(job, TaskStatus="SUCCEEDED")), ["dev-2"])

    def confirmed_batch(self):
        job = self.call(
            "CreateOTAStaticUpgradeJob", FirmwareId=self.package_id, ProductKey=self.product,
            TargetSelection="SPECIFIC", TargetDeviceName=["dev-3"], NeedConfirm=True,
            MaximumPerMinute=1000)["Data"]["JobId"]
        self.wait_for_states(job, dev_3="CONFIRM")
        self.call("ConfirmOTATask", TaskId=[self.tasks(job)["dev-3"]["TaskId"]])
        self.wait_for_states(job, dev_3="NOTIFIED")
        self.report("dev-3", "2.0.0")
        self.wait_for_states(job, dev_3="SUCCEEDED")
        self.test.assertEqual(self.job(job)["JobStatus"], "COMPLETED")

    def gray_batch(self):
        job = self.call(
            "CreateOTAStaticUpgradeJob", FirmwareId=self.package_id, ProductKey=self.product,
            TargetSelection="GRAY", GrayPercent="33.333", SrcVersion=["1.0.0"],
            MaximumPerMinute=1000)["Data"]["JobId"]
        self.test.assertEqual(self.job(job)["GrayPercent"], "33.333")
        self.wait_for_states(job, dev_4="NOTIFIED")
        self.call("CancelOTATaskByJob", JobId=job, CancelQueuedTask=True, CancelNotifiedTask=True)
        self.wait_for_states(job, dev_4="CANCELED")
        self.test.assertEqual(self.job(job)["JobStatus"], "CANCELED")

    def listed_batch(self):
        offer = self.call("GenerateDeviceNameListURL")["Data"]
        self.service.post_file(offer, b"DeviceName\r\ndev-4\r\nnobody\r\n")
        order = {"FirmwareId": self.package_id, "ProductKey": self.product,
                 "TargetSelection": "SPECIFIC", "DnListFileUrl": offer["FileUrl"]}
        self.test.assert_refused("iot.device.InvalidFormattedDeviceName", self.call,
                                 "CreateOTAStaticUpgradeJob", **order)
        offer = self.call("GenerateDeviceNameListURL")["Data"]
        self.service.post_file(offer, b"DeviceName\r\ndev-4\r\n")
        job = self.call("CreateOTAStaticUpgradeJob",
                        **order | {"DnListFileUrl": offer["FileUrl"]})["Data"]["JobId"]
        self.wait_for_states(job, dev_4="NOTIFIED")
        self.call("CancelOTATaskByJob", JobId=job, CancelNotifiedTask=True)
        self.wait_for_states(job, dev_4="CANCELED")

    def dynamic_batch(self):
        job = self.call("CreateOTADynamicUpgradeJob", FirmwareId=self.package_id,
                        ProductKey=self.product, SrcVersion=["1.0.0"],
                        MaximumPerMinute=1000)["Data"]["JobId"]
        self.wait_for_states(job, dev_4="NOTIFIED")
        self.test.assertEqual(self.job(job)["SelectionType"], "DYNAMIC")
        late = self.call("RegisterDevice", ProductKey=self.product, DeviceName="dev-late")["Data"]
        self.switch_on("dev-late", late["DeviceSecret"])
        self.wait_for_states(job, dev_4="NOTIFIED", dev_late="NOTIFIED")
        self.call("CancelOTAStrategyByJob", JobId=job)
        self.test.assertEqual(self.job(job)["JobStatus"], "CANCELED")
        self.report("dev-4", "2.0.0")
        self.wait_for_states(job, dev_4="SUCCEEDED", dev_late="NOTIFIED")
        self.dynamic_job = job

    def many_devices(self):
        made_up = self.call("BatchRegisterDevice", ProductKey=self.product, Count=3)
        page = self.call("QueryPageByApplyId", ApplyId=made_up["Data"]["ApplyId"], CurrentPage=1,
                         PageSize=10)
        self.test.assertEqual(page["Total"], 3)
        checked = self.call("BatchCheckDeviceNames", ProductKey=self.product,
                            DeviceName=["many-1", "many-2"])["Data"]["ApplyId"]
        self.call("BatchRegisterDeviceWithApplyId", ProductKey=self.product, ApplyId=checked)
        status = self.call("QueryBatchRegisterDeviceStatus", ProductKey=self.product,
                           ApplyId=checked)["Data"]
        self.test.assertEqual(status["Status"], "CREATE_SUCCESS")
        self.test.assertEqual(status["ValidList"]["Name"], ["many-1", "many-2"])

    def end(self):
        with self.test.assertRaises(Refused):
            self.call("DeleteOTAFirmware", FirmwareId=self.package_id)  # A task needs it.
        self.call("DeleteDevice", ProductKey=self.product, DeviceName="dev-late")
        # Its name is erased with it; its task is not.
        wait_until("its task is cancelled", lambda: sorted(
            task["TaskStatus"] for task in self.list_tasks(self.dynamic_job)
        ) == ["CANCELED", "SUCCEEDED"])
        self.devices["dev-late"].wait_closed()
        self.call("DeleteOTAFirmware", FirmwareId=self.package_id)
        self.test.assert_refused("iot.firmware.FirmwareNotFound", self.call, "QueryOTAFirmware",
                                 FirmwareId=self.package_id)
        devices = self.call("QueryDevice", ProductKey=self.product, CurrentPage=1, PageSize=50)
        for device in devices["Data"]["DeviceInfo"]:
            self.call("DeleteDevice", IotId=device["IotId"])
        self.call("DeleteProduct", ProductKey=self.product)
        self.test.assert_refused("iot.prod.NotExistedProduct", self.call, "QueryProduct",
                                 ProductKey=self.product)


if __name__ == "__main__":
    updraft_e2e.run_tests()
