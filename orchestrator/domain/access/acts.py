"""Everything that can be done here, by name. A route, a command and a step-up each name one of these."""

from __future__ import annotations

from enum import StrEnum


class Act(StrEnum):
    """What somebody asks to do; the policy table has one cell for each."""

    # of everybody
    SEE_HEALTH = "see_health"
    SIGN_IN = "sign_in"
    SIGN_OUT = "sign_out"
    CHANGE_PIN = "change_pin"
    WATCH = "watch"

    # deliveries
    QUEUE_DELIVERY = "queue_delivery"
    LIST_DELIVERIES = "list_deliveries"
    READ_DELIVERY = "read_delivery"
    VERIFY_DELIVERY = "verify_delivery"
    DISPENSE_DELIVERY = "dispense_delivery"
    CHECK_DELIVERY = "check_delivery"
    ACCEPT_DELIVERY = "accept_delivery"
    OPEN_DRAWER = "open_drawer"
    LOAD_DELIVERY = "load_delivery"
    RECEIVE_DELIVERY = "receive_delivery"
    ENTER_PAPER_RECEIPT = "enter_paper_receipt"
    REFUSE_DELIVERY = "refuse_delivery"
    REPORT_EXCURSION = "report_excursion"
    CONFIRM_IN_FRIDGE = "confirm_in_fridge"
    CANCEL_DELIVERY = "cancel_delivery"
    REROUTE_DELIVERY = "reroute_delivery"
    HAND_TO_RUNNER = "hand_to_runner"
    REPORT_INCIDENT = "report_incident"
    PASS_ACCOUNTABILITY = "pass_accountability"
    RETRIEVE_AT_ROBOT = "retrieve_at_robot"
    USE_MECHANICAL_KEY = "use_mechanical_key"
    BREAK_GLASS = "break_glass"

    # registers of places
    OPEN_BALANCE = "open_balance"
    TAKE_FROM_SUPPLIER = "take_from_supplier"
    CHECK_STOCK = "check_stock"
    SUPPLY_PATIENT = "supply_patient"
    RESTOCK = "restock"
    DESTROY = "destroy"
    RECORD_BREAKAGE = "record_breakage"
    ENTER_AFTER_DOWNTIME = "enter_after_downtime"
    CORRECT_ENTRY = "correct_entry"
    RESOLVE_DISCREPANCY = "resolve_discrepancy"
    FOLLOW_UP_DISCREPANCY = "follow_up_discrepancy"
    READ_REGISTER = "read_register"
    READ_LEDGER = "read_ledger"
    READ_REPORT = "read_report"
    TAKE_DOWNTIME_PACK = "take_downtime_pack"
    PURGE_RECORDS = "purge_records"

    # medicines and rules
    READ_MEDICINE = "read_medicine"
    SCAN = "scan"
    CLASSIFY_MEDICINE = "classify_medicine"
    RECALL_BATCH = "recall_batch"
    ACKNOWLEDGE_RECALL = "acknowledge_recall"
    APPROVE_CARRIAGE = "approve_carriage"
    READ_APPROVALS = "read_approvals"
    READ_INCIDENTS = "read_incidents"
    FOLLOW_UP_INCIDENT = "follow_up_incident"

    # robots, lanes, alarms
    PAUSE_ROBOT = "pause_robot"
    RESUME_ROBOT = "resume_robot"
    ABORT_ROBOT = "abort_robot"
    QUARANTINE_ROBOT = "quarantine_robot"
    TAKE_OUT_OF_SERVICE = "take_out_of_service"
    PUT_IN_SERVICE = "put_in_service"
    SEND_ROBOT = "send_robot"
    WITHDRAW_ROBOT = "withdraw_robot"
    FENCE_OFF_ROBOT = "fence_off_robot"
    READ_ROBOT_HISTORY = "read_robot_history"
    CLOSE_LANE = "close_lane"
    OPEN_LANE = "open_lane"
    RAISE_ALARM = "raise_alarm"
    CLEAR_ALARM = "clear_alarm"
    END_ALARM = "end_alarm"

    # staff
    ADD_STAFF = "add_staff"
    LIST_STAFF = "list_staff"
    REVOKE_STAFF = "revoke_staff"
    UNLOCK_STAFF = "unlock_staff"
    RENEW_STAFF = "renew_staff"
    CHANGE_STAFF = "change_staff"
    MAKE_TOKEN = "make_token"
    LIST_TOKENS = "list_tokens"
    REVOKE_TOKEN = "revoke_token"
    READ_ACCESS_LOG = "read_access_log"

    @property
    def words(self) -> str:
        """The act as people read it."""
        return self.value.replace("_", " ")
