"""Words of the workshop in English and traditional Chinese; simplified is made from these."""

from __future__ import annotations

from migrasim.core.language import Lang
from migrasim.present.language import COMMON, filled

WORDS: dict[str, tuple[str, str]] = {
    **COMMON,
    # the door
    "code": ("Code", "代碼"),
    "enter": ("Enter", "進入"),
    "code_ask": ("Enter the code that the facilitator shows.", "請輸入主持人展示的代碼。"),
    "code_wrong": ("This is not the code. Please look again.", "代碼不對，請再看一次。"),
    "code_wait": ("Too many wrong codes. Please wait {seconds} seconds.", "錯誤次數過多，請等待{seconds}秒。"),
    "not_shared": (
        "This workshop is not shared on the network; the facilitator can start it with --share.",
        "本研討會未在網絡上共享；主持人可用 --share 啟動。",
    ),
    # the page
    "workshop": ("Workshop", "研討會"),
    "join_title": ("Who are you?", "您是誰？"),
    "join_help": (
        "Your name, your group and the side whose indicators you look at first.",
        "請填寫姓名、小組，並選擇您首先關注的一方。",
    ),
    "name": ("Name", "姓名"),
    "group": ("Group", "小組"),
    "role": ("Role", "角色"),
    "join": ("Take part", "參加"),
    "change_person": ("Somebody else speaks", "換人發言"),
    "you_are": ("{name}, {group} · {role}", "{name}，{group} · {role}"),
    "role_finance": ("County finance", "縣級財政"),
    "role_village": ("Village", "村"),
    "role_enterprise": ("Enterprise", "企業"),
    "role_household": ("Household", "家庭"),
    "people_here": ("People: {people}, groups: {groups}", "{people}人，{groups}個小組"),
    "share_line": ("{address}   Code: {code}", "{address}   代碼：{code}"),
    "share_off": ("Not shared: this machine only (--share opens it)", "未共享：僅限本機（可用 --share 共享）"),
    "lost": (
        "The connection is lost. Nothing that was sent is lost; the page comes back by itself.",
        "連接中斷。已提交的內容不會丟失；頁面會自動恢復。",
    ),
    # stages
    "stage": ("Stage", "階段"),
    "stage_propose": ("1 Propose and predict", "1 提出與預測"),
    "stage_vote": ("2 Vote", "2 表決"),
    "stage_closed": ("3 Result of the vote", "3 表決結果"),
    # proposals
    "new_proposal": ("Propose a scenario", "提出情景"),
    "propose_help": (
        "Move levers. Nobody sees a result before everybody has predicted it.",
        "移動槓桿。在大家預測之前，誰都看不到結果。",
    ),
    "proposal_name": ("Name of the proposal", "方案名稱"),
    "why": ("Why (one sentence)", "理由（一句話）"),
    "propose": ("Propose it", "提交方案"),
    "back": ("Back to the proposals", "返回方案列表"),
    "proposals": ("Proposals", "方案"),
    "no_proposals": ("Nothing has been proposed yet.", "還沒有方案。"),
    "by": ("{name}, {group}", "{name}，{group}"),
    "changed_levers": ("Levers changed: {levers}", "改變的槓桿：{levers}"),
    "and_more": ("and {count} more", "另有{count}項"),
    "no_levers": ("No lever is changed: the status quo.", "沒有改變槓桿：維持現狀。"),
    # predictions
    "predict": ("Predict", "預測"),
    "predict_rate": ("Resident rate in {year}, %", "{year}年常住城鎮化率，%"),
    "predict_urban": ("Urban residents in {year}, thousand", "{year}年城鎮常住人口，千人"),
    "predict_now": ("2020: {rate}% and {urban} thousand", "2020年：{rate}%，{urban}千人"),
    "predict_send": ("This is my prediction", "提交預測"),
    "predict_yours": ("Your prediction: {rate}%, {urban} thousand", "您的預測：{rate}%，{urban}千人"),
    "predictions_count": (
        "Predictions so far: {count}; they stay hidden until the result",
        "已有{count}項預測；結果揭曉前不公開",
    ),
    "reveal": ("Show the result", "揭曉結果"),
    "reveal_running": ("Predictions are closed. The model runs: {percent}%", "預測已截止。模型運行中：{percent}%"),
    "reveal_failed": ("The run failed: {message}", "運行失敗：{message}"),
    "again": ("Try again", "再試一次"),
    # results
    "result": ("Result", "結果"),
    "predicted_by": ("Predicted", "預測"),
    "model_says": ("The model", "模型"),
    "person": ("Person", "人"),
    "off_by": ("Off by, points", "偏差（百分點）"),
    "this_proposal": ("Proposal", "方案"),
    "your_indicators": ("What {role} looks at", "{role}關注的指標"),
    "other_roles": ("What the others look at", "其他各方關注的指標"),
    "county_cost_yuan": ("Outlay of county governments", "縣級政府支出"),
    "cumulative_cost_yuan_per_new_resident": (
        "Public outlay since 2020 per additional urban resident",
        "2020年以來每新增一名城鎮常住人口的公共支出",
    ),
    "sum_of_years": ("sum 2021-{year}", "2021-{year}年合計"),
    "in_year": ("{year}", "{year}年"),
    "unit_when": ("{unit}, {when}", "{unit}，{when}"),
    "rounding_note": (
        "Differences are taken before rounding.",
        "差值先計算後取捨位數。",
    ),
    "sample_note": (
        "A sample of {share} of the households, one draw of luck; small differences mean nothing.",
        "{share}家庭抽樣，僅一次隨機抽取；微小差別沒有意義。",
    ),
    "all_note": (
        "All households, one draw of luck; small differences mean nothing.",
        "全部家庭，僅一次隨機抽取；微小差別沒有意義。",
    ),
    "assumed_note": (
        "The model rests on assumed values; a difference between predictions and the model is no mistake by itself.",
        "模型建立在假設之上；預測與模型不同，本身並不是錯誤。",
    ),
    "refine": ("Run all households", "運行全部家庭"),
    # votes
    "vote": ("Vote for this", "投票給此方案"),
    "voted": ("Your vote", "您的投票"),
    "votes": ("Votes: {count}", "{count}票"),
    "votes_hidden": ("{count} of {people} have voted", "{people}人中已有{count}人投票"),
    # the minutes
    "levers_set": ("Levers that it changes: {count}", "改動的槓桿：{count}項"),
    "in_2020": ("Status quo, 2020", "現狀（2020年）"),
    "in_plan": ("The plan", "規劃"),
    "levers_note": (
        "An arrow leads from the value of 2021 to that of 2035. Counts are totals of the region, everything else means "
        "over counties. Most values of the plan are assumed, as it gives few figures; `migrasim levers` has their "
        "sources.",
        "箭頭由2021年取值指向2035年取值。數量為全區合計，其餘為各縣平均。規劃少有數字，其取值多為假設；"
        "來源見 `migrasim levers`。",
    ),
    "run_again": (
        "To make this run again, save the following as {file} and give the command below it.",
        "重現此次運行：把以下內容存為 {file}，再執行其下的命令。",
    ),
    "run_code": (
        "Identity of the run: {run}. It is computed from the scenario, the data, the sample and the draw of luck: "
        "whoever runs the same gets the same code, in the name of the folder of results, and the same numbers.",
        "運行標識：{run}。由情景、數據、抽樣與隨機種子算出：條件相同，則標識（見結果文件夾名的末尾）與數字都相同。",
    ),
    "written_by": (
        "Minutes of migrasim {version}. Results are those of the model: simulated, neither published nor a forecast.",
        "由migrasim {version}記錄。結果為模型模擬所得，既非公佈數據，也不是預測。",
    ),
    # the record
    "record": ("The record", "記錄"),
    "record_help": (
        "Who proposed, predicted and voted what, and what the model gave; one file, only ever added to.",
        "記錄誰提出、預測、表決了什麼，以及模型的結果；一個文件，只增不改。",
    ),
    "download": ("Save the record", "保存記錄"),
    "minutes": ("Save the minutes", "保存會議紀要"),
    "damaged": (
        "Lines of the record that could not be read and were passed over: {count}",
        "記錄中有{count}行無法讀取，已跳過。",
    ),
    "time": ("Time", "時間"),
}  # fmt: skip


def word(key: str, lang: Lang, **values: object) -> str:
    """A phrase of the workshop in one language, filled."""
    return filled(WORDS[key], lang, **values)


def both(key: str, **values: object) -> tuple[str, str]:
    """A phrase in English and in Chinese, for a page whose language nobody has chosen."""
    return word(key, "en", **values), word(key, "zh-Hant", **values)
